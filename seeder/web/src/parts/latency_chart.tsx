// SPDX-License-Identifier: Apache-2.0
// The median latency of a device's checks over time, against its limit.
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { CheckRecord } from '../types';
import { series } from './latency_series';

function timeOfDay(at: number): string {
  const time = new Date(at * 1000);
  return `${time.getHours()}:${time.getMinutes().toString().padStart(2, '0')}`;
}

function options(width: number, element: Element, limit: number | undefined): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = { stroke: colour('--dim'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
  const lines: uPlot.Series[] = [
    {},
    { label: 'median', stroke: colour('--move-fill'), width: 2, points: { size: 5, fill: colour('--move-fill') } },
    { label: '95 %', stroke: colour('--mute-fill'), width: 1, points: { show: false } },
  ];
  if (limit !== undefined) lines.push({ label: 'limit', stroke: colour('--bad-fill'), dash: [6, 5], points: { show: false } });
  return {
    width,
    height: 190,
    series: lines,
    axes: [{ ...axis, values: (_chart, ticks) => ticks.map((tick) => timeOfDay(tick)) }, { ...axis, size: 62, values: (_chart: uPlot, ticks: number[]) => ticks.map((tick) => `${tick} ms`) }],
    scales: { y: { range: (_chart, _low, high) => [0, Math.max(high, 0.001) * 1.1] } },
    legend: { show: false },
    cursor: { show: false },
  };
}

export function LatencyChart({ checks, limitUs }: { checks: readonly CheckRecord[]; limitUs: number | undefined }) {
  const place = useRef<HTMLDivElement>(null);
  const { times, p50, p95 } = series(checks);
  const known = p50.filter((value) => value !== null);
  // A limit far above everything measured would press the curve flat; it is said in words instead.
  const top = Math.max(0, ...known, ...p95.filter((value) => value !== null));
  const limit = limitUs !== undefined && limitUs / 1000 < top * 8 ? limitUs / 1000 : undefined;
  useEffect(() => {
    const element = place.current;
    if (!element || known.length < 2) return;
    const data: uPlot.AlignedData = limit === undefined ? [times, p50, p95] : [times, p50, p95, times.map(() => limit)];
    const chart = new uPlot(options(element.clientWidth, element, limit), data, element);
    const watch = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: 190 }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      chart.destroy();
    };
  }, [times.at(-1), known.length, limit]);
  if (known.length < 2) {
    return <p class="dim">A curve needs two checks that timed something; {known.length === 1 ? 'one is' : 'none is'} recorded.</p>;
  }
  const last = known.at(-1) ?? 0;
  const words = `Latency of the last ${known.length} checks: median now ${last.toFixed(2)} ms${limitUs === undefined ? '' : `, limit ${(limitUs / 1000).toFixed(1)} ms`}`;
  return (
    <figure>
      <div class="chart" ref={place} role="img" aria-label={words} />
      <figcaption class="dim small">
        <span class="key median" /> median <span class="key p95" /> 95 %
        {limitUs !== undefined && (
          <>
            {limit !== undefined && <span class="key limit" />} limit {(limitUs / 1000).toFixed(1)} ms
          </>
        )}
      </figcaption>
    </figure>
  );
}
