// SPDX-License-Identifier: Apache-2.0
// What a check measured, as it reported it.

const names: Record<string, string> = {
  'latency.p50_us': 'Latency, median',
  'latency.p95_us': 'Latency, 95 %',
  'latency.p99_us': 'Latency, 99 %',
  'latency.n': 'Runs timed',
  'latency.running_p50_us': 'Latency of the version before, median',
  import_ms: 'Import',
  load_ms: 'Load',
  wall_ms: 'Wall time',
  cpu_ms: 'CPU time',
  rss_mb: 'Memory',
  provider: 'Provider',
};

/** "latency.p50_us", "4100" → "4.10 ms". */
export function withUnit(id: string, value: string): string {
  const number = Number(value);
  if (!Number.isFinite(number) || value === '') return value;
  if (id.endsWith('_us')) return number >= 1000 ? `${(number / 1000).toFixed(2)} ms` : `${number.toFixed(1)} µs`;
  if (id.endsWith('_ms')) return number >= 10000 ? `${(number / 1000).toFixed(1)} s` : `${number.toFixed(0)} ms`;
  if (id.endsWith('_mb')) return `${number.toFixed(0)} MB`;
  return value;
}

function nameOf(id: string): string {
  if (id.startsWith('version.')) return id.slice('version.'.length);
  return names[id] ?? id;
}

/** Over, or close to it (nine tenths). */
export function standing(value: string, limit: number | undefined): 'over' | 'near' | '' {
  const number = Number(value);
  if (limit === undefined || !Number.isFinite(number)) return '';
  return number > limit ? 'over' : number > 0.9 * limit ? 'near' : '';
}

interface MeasuredProps {
  measured: Record<string, string>;
  limits?: Record<string, number> | undefined;
}

export function Measured({ measured, limits }: MeasuredProps) {
  const ids = Object.keys(measured).sort();
  const timed = ids.filter((id) => !id.startsWith('version.'));
  const versions = ids.filter((id) => id.startsWith('version.'));
  if (ids.length === 0) return null;
  return (
    <>
      <table class="measured">
        <thead>
          <tr>
            <th scope="col">Measured</th>
            <th scope="col" class="num">
              Value
            </th>
            {limits && (
              <th scope="col" class="num">
                Limit
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {timed.map((id) => (
            <tr key={id} class={standing(measured[id] ?? '', limits?.[id])}>
              <th scope="row">{nameOf(id)}</th>
              <td class="num">{withUnit(id, measured[id] ?? '')}</td>
              {limits && <td class="num dim">{limits[id] === undefined ? '' : withUnit(id, String(limits[id]))}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {versions.length > 0 && (
        <ul class="packages" aria-label="Versions that answered">
          {versions.map((id) => (
            <li key={id}>
              {nameOf(id)} <b>{measured[id]}</b>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
