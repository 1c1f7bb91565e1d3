// SPDX-License-Identifier: Apache-2.0
// What the state means: who infers, what moves, what is stuck and why. Pure.
import { bundleName, duration, plural, seconds } from './format';
import type { Health, Node, Rollout, Site } from './types';

export const healths: readonly Health[] = ['inferring', 'updating', 'failed', 'not-inferring', 'damaged', 'silent', 'empty'];

export const healthText: Record<Health, string> = {
  inferring: 'infers',
  updating: 'updates',
  failed: 'update failed',
  'not-inferring': 'does not infer',
  damaged: 'damaged',
  silent: 'silent',
  empty: 'empty',
};

/** Of a device that is not revoked. */
export function healthOf(node: Node): Health {
  return node.health === 'revoked' ? 'silent' : node.health;
}

/** Says of itself that it infers, and was heard of lately. */
export function infers(node: Node): boolean {
  return Boolean(node.report?.inferring) && node.health !== 'silent';
}

export interface Tally {
  total: number;
  infer: number;
  by: Record<Health, Node[]>;
}

export function tally(nodes: readonly Node[]): Tally {
  const by: Record<Health, Node[]> = { inferring: [], updating: [], failed: [], 'not-inferring': [], damaged: [], silent: [], empty: [] };
  let total = 0;
  let infer = 0;
  for (const node of nodes) {
    if (node.revoked) continue;
    ++total;
    if (infers(node)) ++infer;
    by[healthOf(node)].push(node);
  }
  return { total, infer, by };
}

export interface Rates {
  lanDown: number;
  lanUp: number;
  fromGateway: number;
  fromPeers: number;
  transfers: number;
}

export function lanRates(nodes: readonly Node[]): Rates {
  const sum: Rates = { lanDown: 0, lanUp: 0, fromGateway: 0, fromPeers: 0, transfers: 0 };
  for (const node of nodes) {
    const report = node.report;
    if (!report) continue;
    sum.fromGateway += report.delivered_from_gateway;
    sum.fromPeers += report.delivered_from_peers;
    if (!report.transfer || node.health === 'silent') continue;
    sum.lanDown += report.transfer.down_rate;
    sum.lanUp += report.transfer.up_rate;
    if (report.transfer.have < report.transfer.length) ++sum.transfers;
  }
  return sum;
}

export interface Problem {
  severity: 'bad' | 'warn';
  title: string;
  why: string;
  devices: string[];
  link: string;
}

function reasonOf(node: Node, health: Health, site: Site): string {
  const report = node.report;
  if (health === 'silent') {
    return node.heard
      ? `last heard ${duration(seconds(site.now) - seconds(node.heard))} ago`
      : 'never heard of';
  }
  if (health === 'damaged') return `${report?.damage ?? ''}; to mend it: lineside rollout start ${bundleName(report?.bundle ?? '')} --device ${node.device}`;
  if (health === 'failed') return report?.error || node.why || report?.code || 'no reason given';
  if (report?.inferring_cause) return report.inferring_cause;
  if (report?.check && report.check.verdict !== 'pass') return report.check.cause;
  return report?.error || 'its last inference check or heartbeat was not good';
}

type Trouble = 'failed' | 'not-inferring' | 'damaged' | 'silent';

const titles: Record<Trouble, (n: number) => string> = {
  'not-inferring': (n) => `${plural(n, 'device')} ${n === 1 ? 'does' : 'do'} not infer`,
  damaged: (n) => `${plural(n, 'device')} ${n === 1 ? 'runs' : 'run'} what was not signed`,
  failed: (n) => `Update failed on ${plural(n, 'device')}; the old version goes on`,
  silent: (n) => `${plural(n, 'device')} ${n === 1 ? 'is' : 'are'} silent`,
};

/** Devices with the same trouble for the same reason are one problem. */
function deviceProblems(all: Tally, site: Site): Problem[] {
  const found: Problem[] = [];
  for (const health of ['not-inferring', 'damaged', 'failed', 'silent'] as const) {
    const reasons = new Map<string, string[]>();
    for (const node of all.by[health]) {
      const why = health === 'silent' ? '' : reasonOf(node, health, site);
      reasons.set(why, [...(reasons.get(why) ?? []), node.device]);
    }
    for (const [why, devices] of reasons) {
      const only = all.by[health].find((node) => node.device === devices[0]);
      found.push({
        severity: health === 'failed' ? 'warn' : 'bad',
        title: titles[health](devices.length),
        why: why || (devices.length === 1 && only ? reasonOf(only, health, site) : ''),
        devices,
        link: devices.length === 1 ? `#/devices/${devices[0]}` : `#/devices?show=${health}`,
      });
    }
  }
  return found;
}

export function problems(all: Tally, site: Site): Problem[] {
  const found = deviceProblems(all, site);
  const rollout = site.rollout;
  const ended = rollout && ['aborted', 'failed'].includes(rollout.stage);
  if (rollout && (ended || (rollout.paused && isRunning(rollout)))) {
    found.unshift({
      severity: 'warn',
      title: `Rollout ${rollout.sequence} ${ended ? (rollout.stage === 'failed' ? 'failed' : 'was aborted') : 'is paused'}`,
      why: rollout.reason,
      devices: [],
      link: '#/rollout',
    });
  }
  if (site.supply.state === 'waiting') {
    found.push({
      severity: 'warn',
      title: 'The gateway cannot get or make the deliveries; it tries again',
      why: site.supply.text,
      devices: [],
      link: '#/bundles',
    });
  }
  return found;
}

export const stages = ['preparing', 'canaries', 'soaking', 'batches', 'done'] as const;

export function isRunning(rollout: Rollout): boolean {
  return !['done', 'failed', 'aborted', 'superseded'].includes(rollout.stage);
}

export interface Batch {
  index: number;
  open: boolean;
  opened?: string;
  nodes: Node[];
}

/** Batch 0 are the canaries. */
export function batches(rollout: Rollout, nodes: readonly Node[]): Batch[] {
  const list: Batch[] = [];
  for (let index = 0; index < rollout.batch_count; ++index) {
    const opened = rollout.opened?.[index.toString()];
    list.push({ index, open: index < rollout.batches_open, nodes: [], ...(opened ? { opened } : {}) });
  }
  for (const node of nodes) {
    if (node.batch !== undefined) list[node.batch]?.nodes.push(node);
  }
  return list;
}

/** What the rollout waits for, in one sentence. */
export function waitsFor(rollout: Rollout, nodes: readonly Node[]): string {
  if (rollout.stage === 'done') return 'All devices have ended.';
  if (!isRunning(rollout)) return rollout.reason;
  if (rollout.paused) return `Paused: ${rollout.reason}`;
  if (rollout.stage === 'preparing') return 'The gateway prepares the deliveries.';
  if (rollout.stage === 'soaking') return 'All canaries passed. The soak must end before others follow.';
  const open = batches(rollout, nodes).filter((batch) => batch.open);
  const missing = open.flatMap((batch) => batch.nodes).filter((node) => node.ending === 'pending');
  const names = missing.slice(0, 3).map((node) => node.device).join(', ');
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : '';
  if (missing.length === 0) return rollout.gate;
  const what = rollout.stage === 'canaries' ? 'canaries' : 'open batches';
  return `Waits for ${names}${more} in the ${what}.`;
}

const working = new Set(['fetching', 'staging', 'checking', 'activating', 'trial']);

/** Devices that do something for the rollout at this moment; the others wait. */
export function atWork(nodes: readonly Node[]): number {
  return nodes.filter((node) => node.health !== 'silent' && working.has(node.report?.state ?? '')).length;
}

/** Share of the rollout that has ended, 0 to 1. */
export function progress(rollout: Rollout): number {
  const sum = Object.values(rollout.endings).reduce((a, b) => a + b, 0);
  return sum ? 1 - (rollout.endings['pending'] ?? 0) / sum : 0;
}

export type Mood = 'ok' | 'move' | 'warn' | 'bad';

/** One word for the whole site. A device that is getting its first bundle is no fault. */
export function moodOf(all: Tally, found: readonly Problem[]): Mood {
  if (found.some((problem) => problem.severity === 'bad')) return 'bad';
  if (found.length > 0) return 'warn';
  return all.infer < all.total || all.total === 0 ? 'move' : 'ok';
}

export function headline(all: Tally): string {
  if (all.total === 0) return 'No device is enrolled';
  if (all.infer === all.total) return all.total === 1 ? 'The device infers' : `All ${all.total} devices infer`;
  if (all.infer === 0) {
    const first = all.by.updating.length + all.by.empty.length === all.total;
    return first ? 'No device infers yet' : 'No device infers';
  }
  return `${all.infer} of ${all.total} devices infer`;
}

export function versions(nodes: readonly Node[]): [string, number][] {
  const found = new Map<string, number>();
  for (const node of nodes) {
    if (node.revoked || !node.report) continue;
    const name = node.report.bundle ? bundleName(node.report.bundle) : 'nothing installed';
    found.set(name, (found.get(name) ?? 0) + 1);
  }
  return [...found].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}

/** A digest of zeros stands for a slot that holds nothing. */
export function isNothing(tree: string): boolean {
  return /^0*$/.test(tree);
}

/** A bit a piece, most significant first, from base64. */
export function pieces(map: string, count: number): boolean[] {
  const raw = atob(map);
  const out: boolean[] = [];
  for (let i = 0; i < count; ++i) {
    out.push(((raw.charCodeAt(i >> 3) || 0) & (0x80 >> (i & 7))) !== 0);
  }
  return out;
}

/** "line-audio 1.0.0" for a tree that some device says it runs under that name; else undefined. */
export function treeName(tree: string, nodes: readonly Node[]): string | undefined {
  const one = nodes.find((node) => node.report?.tree === tree && node.report.bundle);
  return one?.report ? bundleName(one.report.bundle) : undefined;
}

/** SHA-256 of nothing: the base of a full delivery. */
export const emptyTree = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
