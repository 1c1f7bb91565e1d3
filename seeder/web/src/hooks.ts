// SPDX-License-Identifier: Apache-2.0
import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { get } from './api';
import type { Live, Snapshot } from './live';
import type { Node, Site, Viewer } from './types';

export const LiveContext = createContext<Live | undefined>(undefined);

export function useSnapshot(live: Live): Snapshot {
  const [snapshot, set] = useState(live.snapshot);
  useEffect(() => live.subscribe(() => set(live.snapshot)), [live]);
  return snapshot;
}

/** What every view is given: there is a state, maybe an old one. */
export interface Seen {
  site: Site;
  nodes: readonly Node[];
  viewer: Viewer;
  newestEvent: number;
}

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (!live) throw new Error('no Live above this component');
  return live;
}

export interface Loaded<T> {
  value?: T;
  error?: string;
}

/** Asks again whenever `path` or `stamp` changes, and keeps the old answer meanwhile. */
export function useGet<T>(path: string, stamp: unknown = 0): Loaded<T> {
  const [loaded, set] = useState<Loaded<T> & { path?: string }>({});
  useEffect(() => {
    let wanted = true;
    get<T>(path).then(
      (value) => wanted && set({ value, path }),
      (error: Error) => wanted && set((old) => ({ ...old, error: error.message })),
    );
    return () => {
      wanted = false;
    };
  }, [path, stamp]);
  return loaded.path === undefined || loaded.path === path ? loaded : {};
}

/** The part of the address behind '#', split: "/devices/cam01?show=dark". */
export interface Place {
  view: string;
  name: string;
  query: URLSearchParams;
}

export function placeOf(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [view = '', ...rest] = path.split('/');
  return { view: view || 'overview', name: decodeURIComponent(rest.join('/')), query: new URLSearchParams(query) };
}

export function usePlace(): Place {
  const [place, set] = useState(placeOf(location.hash));
  useEffect(() => {
    const moved = () => set(placeOf(location.hash));
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  return place;
}
