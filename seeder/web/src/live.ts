// SPDX-License-Identifier: Apache-2.0
// The state of the site in this browser: fetched once, then kept current by the gateway's events.
//
// The gateway says something every second, so silence means that the connection is gone, whatever
// the browser believes; after a sleep the first look at the clock finds out. What is shown then is
// marked as old. A lost stream continues by the id of its last event, or begins anew.
import { get, Refused } from './api';
import type { Change, Node, Site, Viewer, Whole } from './types';

export type Link = 'loading' | 'live' | 'lost' | 'logged-out';

export interface Snapshot {
  link: Link;
  viewer?: Viewer;
  site?: Site;
  nodes: readonly Node[];
  newestEvent: number;
  heardAt: number; // Date.now() of the last word
  trouble: string;
}

/** The nodes after a change, sorted by id; rows that did not change stay the same objects. */
export function applyNodes(nodes: readonly Node[], change: Change): readonly Node[] {
  if (change.nodes.length === 0 && change.gone.length === 0) return nodes;
  const byId = new Map(nodes.map((node) => [node.device, node]));
  for (const id of change.gone) byId.delete(id);
  for (const node of change.nodes) byId.set(node.device, node);
  return [...byId.values()].sort((a, b) => (a.device < b.device ? -1 : a.device > b.device ? 1 : 0));
}

const staleMs = 6000;
const deadMs = 15000;
const longestPauseMs = 10000;

export class Live {
  snapshot: Snapshot = { link: 'loading', nodes: [], newestEvent: 0, heardAt: 0, trouble: '' };
  private source: EventSource | undefined;
  private id = '';
  private pauseMs = 500;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private beginning = false;
  private readonly listeners = new Set<() => void>();

  constructor() {
    setInterval(() => this.watch(), 1000);
    addEventListener('online', () => this.watch());
    document.addEventListener('visibilitychange', () => this.watch());
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** From the start: at first, after a login, and when the stream cannot be continued. */
  async begin(): Promise<void> {
    if (this.beginning) return;
    this.beginning = true;
    this.stop();
    try {
      const { viewer, state } = await get<{ viewer: Viewer; state: Whole }>('/api/state');
      this.id = state.id;
      this.pauseMs = 500;
      this.set({
        link: 'live',
        viewer,
        site: state.site,
        nodes: applyNodes([], state),
        newestEvent: state.newest_event,
        heardAt: Date.now(),
        trouble: '',
      });
      this.follow();
    } catch (error) {
      this.failed(error);
    } finally {
      this.beginning = false;
    }
  }

  loggedOut(): void {
    this.stop();
    this.set({ link: 'logged-out', nodes: [], newestEvent: 0, heardAt: 0, trouble: '' }, true);
  }

  private failed(error: unknown): void {
    if (error instanceof Refused && error.status === 401) return this.loggedOut();
    const trouble = error instanceof Error ? error.message : String(error);
    this.set({ link: this.snapshot.site ? 'lost' : 'loading', trouble });
    this.later();
  }

  private later(): void {
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.begin(), this.pauseMs);
    this.pauseMs = Math.min(this.pauseMs * 2, longestPauseMs);
  }

  private follow(): void {
    const source = new EventSource(`/api/feed?after=${encodeURIComponent(this.id)}`);
    this.source = source;
    source.addEventListener('change', (event) => {
      this.id = event.lastEventId;
      this.changed(JSON.parse(event.data as string) as Change);
    });
    source.addEventListener('reset', () => void this.begin());
    source.addEventListener('error', () => {
      // CLOSED: the browser gave up, since the answer was no stream (logged out, or a proxy's page).
      if (source.readyState === EventSource.CLOSED && source === this.source) this.later();
    });
  }

  private changed(change: Change): void {
    this.set({
      link: 'live',
      site: change.site,
      nodes: applyNodes(this.snapshot.nodes, change),
      newestEvent: change.newest_event,
      heardAt: Date.now(),
      trouble: '',
    });
  }

  private watch(): void {
    const { link, heardAt } = this.snapshot;
    if (link !== 'live' && link !== 'lost') return;
    const silence = Date.now() - heardAt;
    if (link === 'live' && silence > staleMs) {
      this.set({ link: 'lost', trouble: this.snapshot.trouble || 'the gateway cannot be reached' });
    }
    if (silence > deadMs && this.source) {
      this.stop();
      this.later();
    }
  }

  private stop(): void {
    clearTimeout(this.retry);
    this.source?.close();
    this.source = undefined;
  }

  private set(change: Partial<Snapshot>, fresh = false): void {
    const base: Snapshot = fresh
      ? { link: 'loading', nodes: [], newestEvent: 0, heardAt: 0, trouble: '' }
      : this.snapshot;
    this.snapshot = { ...base, ...change };
    for (const listener of this.listeners) listener();
  }
}
