// SPDX-License-Identifier: Apache-2.0
// The frame: who is looking, where, whether what is shown is current, and the way to stop.
import type { ComponentType } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { clock } from './format';
import { LiveContext, usePlace, useSnapshot, type Place, type Seen } from './hooks';
import type { Live, Snapshot } from './live';
import { Header } from './parts/header';
import { Bundles } from './views/bundles';
import { Devices } from './views/devices';
import { Log } from './views/log';
import { Login } from './views/login';
import { Overview } from './views/overview';
import { RolloutView } from './views/rollout';
import { Swarm } from './views/swarm';

export interface ViewProps {
  seen: Seen;
  place: Place;
}

export const views: readonly { id: string; title: string; view: ComponentType<ViewProps> }[] = [
  { id: 'overview', title: 'Overview', view: Overview },
  { id: 'rollout', title: 'Rollout', view: RolloutView },
  { id: 'swarm', title: 'Swarm', view: Swarm },
  { id: 'devices', title: 'Devices', view: Devices },
  { id: 'bundles', title: 'Bundles', view: Bundles },
  { id: 'log', title: 'Log', view: Log },
];

function Loading({ snapshot }: { snapshot: Snapshot }) {
  return (
    <main class="alone" id="main">
      <div class="panel narrow" role="status">
        <h1>{snapshot.trouble ? 'The gateway does not answer' : 'Asking the gateway'}</h1>
        <p>
          {snapshot.trouble
            ? `${snapshot.trouble[0]?.toUpperCase()}${snapshot.trouble.slice(1)}. The page tries again by itself.`
            : 'One moment.'}
        </p>
        <div class="wait" aria-hidden="true" />
      </div>
    </main>
  );
}

function Lost({ snapshot }: { snapshot: Snapshot }) {
  if (snapshot.link !== 'lost') return null;
  return (
    <div class="lost" role="alert">
      <strong>No word from the gateway since {clock(new Date(snapshot.heardAt).toISOString())}.</strong>{' '}
      What is shown is from then. The page reconnects by itself.
    </div>
  );
}

/** After a change of view a screen reader and the keyboard begin at its top. */
function useFocusOn(view: string) {
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) {
      main.current?.focus();
      scrollTo(0, 0);
    }
    first.current = false;
  }, [view]);
  return main;
}

export function App({ live }: { live: Live }) {
  const snapshot = useSnapshot(live);
  const place = usePlace();
  const main = useFocusOn(`${place.view}/${place.name}`);
  const shown = views.find((view) => view.id === place.view) ?? views[0];
  const { site, viewer } = snapshot;
  useEffect(() => {
    document.title = `${shown?.title ?? ''} · ${site ? `${site.site} · ` : ''}Lineside`;
  }, [shown?.title, site?.site]);
  if (snapshot.link === 'logged-out') return <Login onDone={() => void live.begin()} />;
  if (!site || !viewer || !shown) return <Loading snapshot={snapshot} />;
  const seen: Seen = { site, viewer, nodes: snapshot.nodes, newestEvent: snapshot.newestEvent };
  const View = shown.view;
  return (
    <LiveContext.Provider value={live}>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to the content
      </a>
      <Header seen={seen} link={snapshot.link} here={shown.id} />
      <Lost snapshot={snapshot} />
      <main id="main" ref={main} tabIndex={-1} class={snapshot.link === 'lost' ? 'old' : ''}>
        <View seen={seen} place={place} />
      </main>
    </LiveContext.Provider>
  );
}
