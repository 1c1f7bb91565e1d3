// SPDX-License-Identifier: Apache-2.0
// The curve behind latency_chart.tsx. Pure.
import { seconds } from '../format';
import type { CheckRecord } from '../types';

export interface Series {
  times: number[];
  p50: (number | null)[];
  p95: (number | null)[];
}

/** Milliseconds by time; a check that timed nothing is a gap. */
export function series(checks: readonly CheckRecord[]): Series {
  const number = (check: CheckRecord, id: string) => {
    const value = Number(check.measured[id] ?? NaN);
    return Number.isFinite(value) ? value / 1000 : null;
  };
  return {
    times: checks.map((check) => seconds(check.finished)),
    p50: checks.map((check) => number(check, 'latency.p50_us')),
    p95: checks.map((check) => number(check, 'latency.p95_us')),
  };
}
