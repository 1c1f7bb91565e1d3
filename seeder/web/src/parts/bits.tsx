// SPDX-License-Identifier: Apache-2.0
// Small parts that several views use.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { healthText } from '../model';
import type { Health } from '../types';

/** Shape and colour: nobody has to tell red from green. */
export function Glyph({ health }: { health: Health }) {
  return (
    <svg class={`glyph ${health}`} viewBox="0 0 16 16" aria-hidden="true">
      {health === 'inferring' && <circle cx="8" cy="8" r="6" class="full" />}
      {health === 'updating' && (
        <>
          <circle cx="8" cy="8" r="5.5" class="ring" />
          <path d="M8 2.5a5.5 5.5 0 0 1 0 11z" class="full" />
        </>
      )}
      {(health === 'failed' || health === 'damaged') && <path d="M8 1.5 15 14H1z" class="full" />}
      {health === 'not-inferring' && <path d="m3.5 3.5 9 9m0-9-9 9" class="stroke" />}
      {health === 'empty' && <rect x="2.5" y="2.5" width="11" height="11" rx="2" class="ring" />}
      {health === 'silent' && <circle cx="8" cy="8" r="5.2" class="dashed" />}
    </svg>
  );
}

export function HealthTag({ health }: { health: Health }) {
  return (
    <span class={`tag ${health}`}>
      <Glyph health={health} />
      {healthText[health]}
    </span>
  );
}

export function Bar({ done, total, label, tone = 'move' }: { done: number; total: number; label: string; tone?: string }) {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  return (
    <span class={`meter ${tone}`} role="progressbar" aria-label={label} aria-valuenow={Math.round(share * 100)} aria-valuemin={0} aria-valuemax={100}>
      <span style={{ transform: `scaleX(${share})` }} />
    </span>
  );
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** What has to be run on the operator's own machine, because it needs the operator's key. */
export function Command({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => {
    void navigator.clipboard?.writeText(text).then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), 2000);
    });
  };
  return (
    <div class="command">
      <code>{text}</code>
      <button type="button" class="quiet" onClick={copy} aria-label={`Copy: ${text}`}>
        {copied ? 'Copied' : 'Copy'}
      </button>
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="nothing">
      <strong>{title}</strong>
      {children && <p>{children}</p>}
    </div>
  );
}

export function Digest({ hex }: { hex: string }) {
  return (
    <code class="digest" title={hex}>
      {hex.slice(0, 12)}
    </code>
  );
}
