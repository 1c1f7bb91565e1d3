// SPDX-License-Identifier: Apache-2.0
// What the gateway says; the C++ side is seeder/operator_api.h and proto/api/site_api.h.

/** As seeder/device_health.h has it: one definition for page, terminal and metrics. */
export type Health = 'inferring' | 'updating' | 'failed' | 'not-inferring' | 'damaged' | 'silent' | 'empty';

export interface Transfer {
  root: string;
  length: number;
  have: number;
  from_gateway: number;
  from_peers: number;
  wasted: number;
  uploaded: number;
  pieces: number;
  peers: number;
  down_rate: number;
  up_rate: number;
}

export interface Check {
  phase: string;
  verdict: string;
  cause: string;
  finished: string;
  measured: Record<string, string>;
  stderr_tail: string;
}

export interface Report {
  device: string;
  agent: string;
  state: string;
  directive_sequence: number;
  roster_version: number;
  bundle: string;
  version: string;
  manifest: string;
  tree: string;
  tree_read: string;
  trees: string[];
  free_bytes: number;
  inferring: boolean;
  inferring_cause?: string;
  inferring_since?: string;
  damage?: string;
  inferences: number;
  code: string;
  error: string;
  swarm_endpoint: string;
  transfer?: Transfer;
  delivered_from_gateway: number;
  delivered_from_peers: number;
  check?: Check;
}

export interface Node {
  device: string;
  fingerprint: string;
  hardware: string[];
  groups: string[];
  canary: boolean;
  revoked: boolean;
  batch?: number;
  health: Health | 'revoked';
  ending: string;
  why: string;
  heard?: string;
  report?: Report;
}

export interface Canary {
  device: string;
  evidence: 'missing' | 'invalid' | 'failed' | 'passed';
  why: string;
}

export interface Rollout {
  sequence: number;
  bundle: string;
  version: string;
  manifest: string;
  tree?: string;
  stage: string;
  paused: boolean;
  reason: string;
  batches_open: number;
  batch_count: number;
  endings: Record<string, number>;
  gate_open: boolean;
  gate: string;
  canaries: Canary[];
  wan_payload: number;
  wan_metadata: number;
  issued: string;
  expires?: string;
  opens_at?: string;
  soak_s?: number;
  opened?: Record<string, string>;
}

export interface Supply {
  state: string;
  text: string;
  done: number;
  total: number;
  retry_at?: string;
  checked?: string;
}

export interface Site {
  site: string;
  fingerprint: string;
  now: string;
  roster_version: number;
  pending: number;
  supply: Supply;
  rollout?: Rollout;
  wan_total: number;
  wan_budget: number;
  wan_rate?: number;
}

export interface Change {
  site: Site;
  nodes: Node[];
  gone: string[];
  newest_event: number;
}

export interface Whole extends Change {
  id: string;
}

export interface Viewer {
  user: string;
}

export interface LogEvent {
  number: number;
  at: string;
  kind: string;
  actor: string;
  device: string;
  sequence: number;
  document: string;
  text: string;
}

export interface Pending {
  device: string;
  fingerprint: string;
  hardware: string[];
  agent: string;
  first_seen: string;
  last_seen: string;
}

export interface BundleRow {
  name: string;
  length: number;
  mirrored: boolean;
  held: boolean;
}

export interface Directive {
  sequence: number;
  digest: string;
  signers: string[];
  bundle: string;
  manifest: string;
  issued: string;
  not_before: string;
  expires: string;
  devices: number;
  canaries: string[];
  soak_s: number;
  batch_size: number;
  failure_minimum: number;
  failure_percent: number;
  on_failure: string;
  device_deadline_s: number;
}

export interface Attestation {
  invalid?: string;
  envelope: string;
  device?: string;
  outcome?: string;
  started?: string;
  finished?: string;
  tree?: string;
  inferences?: number;
  counter?: number;
  cause?: string;
  passed_tests?: string[];
  failed_tests?: string[];
  measured?: Record<string, string>;
  digest?: string;
}

export interface Evidence {
  directive: Directive;
  attestations: Attestation[];
  roster_version: number;
}

export interface CheckRecord {
  finished: string;
  phase: string;
  verdict: string;
  cause: string;
  measured: Record<string, string>;
}

/** Of the devices that carry a delivery, by name: a bit a piece, in base64. No row of the feed carries it. */
export interface PieceMaps {
  pieces: Record<string, string>;
}

export interface Checks {
  checks: CheckRecord[];
  /** Of the last check; no row of the feed carries it. */
  stderr_tail?: string;
  budgets?: Record<string, number>;
}

export interface Manifest {
  name: string;
  digest: string;
  version: string;
  release: number;
  security_floor: number;
  vendor: string;
  hardware: string[];
  tree: string;
  tree_length: number;
  firmware_version: string;
  python: string;
  provides: Record<string, string>;
  packages: Record<string, string>;
  requires: string[];
  required_tests: string[];
  models: { path: string; format: string; sha256: string; versions: Record<string, number> }[];
  deliveries: { base: string; length: number; root: string }[];
  waivers: { rule: string; subject: string; by: string; until: string; reason: string }[];
  routes: { base: string; length?: number; why?: string }[];
  held: boolean;
}
