// SPDX-License-Identifier: Apache-2.0
import { views } from '../app';
import { post } from '../api';
import { clock } from '../format';
import { useLive, type Seen } from '../hooks';
import type { Link } from '../live';
import { headline, isRunning, moodOf, problems, tally } from '../model';
import { StopButton } from './stop';
import { Theme } from './theme';

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 20" aria-hidden="true">
      <path d="M3 16h26" />
      <circle cx="6" cy="7" r="4" class="lit" />
      <circle cx="16" cy="7" r="4" class="lit" />
      <circle cx="26" cy="7" r="3.4" class="next" />
    </svg>
  );
}

/** The answer to "does the plant infer", on every view. */
function Pulse({ seen }: { seen: Seen }) {
  const all = tally(seen.nodes);
  const stuck = problems(all, seen.site);
  return (
    <a href="#/" class={`pulse ${moodOf(all, stuck)}`}>
      <span class="dot" aria-hidden="true" />
      {headline(all)}
      {stuck.length > 0 && <span class="stuck"> · {stuck.length === 1 ? '1 problem' : `${stuck.length} problems`}</span>}
    </a>
  );
}

export function Header({ seen, link, here }: { seen: Seen; link: Link; here: string }) {
  const live = useLive();
  const logOut = () => void post('/api/logout').finally(() => live.loggedOut());
  const rollout = seen.site.rollout;
  return (
    <header class="top">
      <a class="brand" href="#/" aria-label="Lineside, overview">
        <Mark />
        <span class="site">{seen.site.site}</span>
      </a>
      <nav aria-label="Views">
        {views.map((view) => (
          <a key={view.id} href={`#/${view.id === 'overview' ? '' : view.id}`} aria-current={view.id === here ? 'page' : undefined}>
            {view.title}
          </a>
        ))}
      </nav>
      <div class="bar">
        <Pulse seen={seen} />
        <span class="grow" />
        <span class={`link ${link}`} title={`the gateway's time; it is ${link === 'live' ? 'connected' : 'not connected'}`}>
          <span class="dot" aria-hidden="true" />
          <time>{clock(seen.site.now, seen.site.now)}</time>
        </span>
        <Theme />
        <span class="who">{seen.viewer.user}</span>
        <button type="button" class="quiet" onClick={logOut}>
          Log out
        </button>
        {rollout && isRunning(rollout) && <StopButton rollout={rollout} />}
      </div>
    </header>
  );
}
