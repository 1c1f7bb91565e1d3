// SPDX-License-Identifier: Apache-2.0
import { clock, withShortDigests } from '../format';
import type { LogEvent } from '../types';
import { Empty } from './bits';

/** Newest first. */
export function Events({ events, now }: { events: readonly LogEvent[]; now: string }) {
  if (events.length === 0) return <Empty title="Nothing is recorded" />;
  return (
    <ol class="events">
      {events.map((event) => (
        <li key={event.number}>
          <time dateTime={event.at}>{clock(event.at, now)}</time>
          <span class={`kind ${event.kind}`}>{event.kind}</span>
          <span class="text">
            {event.device && <a href={`#/devices/${event.device}`}>{event.device}</a>} {withShortDigests(event.text)}
            {event.document && (
              <code class="digest" title={`document ${event.document}`}>
                {event.document.slice(0, 12)}
              </code>
            )}
          </span>
          <span class="actor">{event.actor}</span>
        </li>
      ))}
    </ol>
  );
}
