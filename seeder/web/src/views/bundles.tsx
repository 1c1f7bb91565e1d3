// SPDX-License-Identifier: Apache-2.0
import type { ViewProps } from '../app';
import { bundleName } from '../format';
import { useGet, type Seen } from '../hooks';
import { Command, Empty } from '../parts/bits';
import type { BundleRow } from '../types';
import { Bundle } from './bundle';

export function Bundles({ seen, place }: ViewProps) {
  return place.name ? <Bundle name={place.name} seen={seen} /> : <List seen={seen} />;
}

function List({ seen }: { seen: Seen }) {
  const { value, error } = useGet<{ bundles: BundleRow[] }>('/api/bundles', `${seen.site.supply.checked}/${seen.site.supply.state}`);
  return (
    <section class="panel" aria-labelledby="bundles">
      <h1 id="bundles">Bundles</h1>
      {error && <p class="trouble">Not shown: {error}</p>}
      {!value && !error && <div class="wait" aria-hidden="true" />}
      {value?.bundles.length === 0 && <Empty title="The vendor lists no bundle">The gateway asks its origin regularly.</Empty>}
      {value && value.bundles.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Bundle</th>
              <th scope="col">At this site</th>
              <th scope="col">Devices that run it</th>
            </tr>
          </thead>
          <tbody>
            {value.bundles.map((row) => (
              <tr key={row.name}>
                <th scope="row">
                  <a href={`#/bundles/${row.name}`}>{bundleName(row.name)}</a>
                </th>
                <td>{row.held ? 'tree is held' : row.mirrored ? 'manifest is held' : <span class="dim">only listed</span>}</td>
                <td class="num">{seen.nodes.filter((node) => node.report?.bundle === row.name).length}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p class="dim">What a rollout would move, before anything moves:</p>
      <Command text="lineside plan NAME/VERSION" />
    </section>
  );
}
