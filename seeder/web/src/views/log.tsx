// SPDX-License-Identifier: Apache-2.0
// The event log: who did what, resting on which document.
import { useState } from 'preact/hooks';
import { get } from '../api';
import type { ViewProps } from '../app';
import { useGet } from '../hooks';
import { Events } from '../parts/events';
import type { LogEvent } from '../types';

interface Page {
  events: LogEvent[];
  more: boolean;
}

export function Log({ seen }: ViewProps) {
  const newest = useGet<Page>('/api/events', seen.newestEvent);
  const [older, setOlder] = useState<Page>({ events: [], more: true });
  const [trouble, setTrouble] = useState('');
  const first = newest.value?.events ?? [];
  const oldest = older.events.at(-1) ?? first.at(-1);
  const held = new Set(older.events.map((event) => event.number));
  const events = [...first.filter((event) => !held.has(event.number)), ...older.events];
  const more = older.events.length ? older.more : newest.value?.more;
  const load = () => {
    if (!oldest) return;
    get<Page>(`/api/events?before=${oldest.number}`).then(
      (page) => setOlder({ events: [...(older.events.length ? older.events : first), ...page.events], more: page.more }),
      (error: Error) => setTrouble(error.message),
    );
  };
  return (
    <section class="panel" aria-labelledby="log">
      <h1 id="log">
        Log <span class="dim">nothing in it can be changed or removed</span>
      </h1>
      {newest.error && <p class="trouble">Not current: {newest.error}</p>}
      {!newest.value && !newest.error && <div class="wait" aria-hidden="true" />}
      {newest.value && <Events events={events} now={seen.site.now} />}
      {trouble && <p class="trouble">{trouble}</p>}
      {more && (
        <button type="button" onClick={load}>
          Older ones
        </button>
      )}
    </section>
  );
}
