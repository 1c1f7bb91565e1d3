// SPDX-License-Identifier: Apache-2.0
import { useState } from 'preact/hooks';

type Choice = 'auto' | 'light' | 'dark';
const next: Record<Choice, Choice> = { auto: 'light', light: 'dark', dark: 'auto' };
const key = 'lineside-theme';

function stored(): Choice {
  const value = localStorage.getItem(key);
  return value === 'light' || value === 'dark' ? value : 'auto';
}

function wear(choice: Choice): void {
  if (choice === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = choice;
}
wear(stored());

export function Theme() {
  const [choice, set] = useState(stored());
  const change = () => {
    const to = next[choice];
    localStorage.setItem(key, to);
    wear(to);
    set(to);
  };
  return (
    <button type="button" class="quiet theme" onClick={change} aria-label={`Colours: ${choice}. Change to ${next[choice]}.`} title="Colours">
      {{ auto: '◐', light: '☀', dark: '☾' }[choice]}
    </button>
  );
}
