// SPDX-License-Identifier: Apache-2.0
// One bundle, as its signed manifest tells it, and how devices can get it.
import { bundleName, bytes, clock, withShortDigests } from '../format';
import { useGet, type Seen } from '../hooks';
import { emptyTree, treeName } from '../model';
import { Command, Digest, Empty, Fact } from '../parts/bits';
import type { Manifest } from '../types';

function Base({ tree, seen }: { tree: string; seen: Seen }) {
  if (tree === emptyTree) return <>nothing (a full delivery)</>;
  const name = treeName(tree, seen.nodes);
  return (
    <>
      {name ?? 'another tree'} <Digest hex={tree} />
    </>
  );
}

interface Way {
  base: string;
  vendor?: number;
  here?: number | string; // bytes, or why it is not to be had
}

/** One row for each base, whoever made a delivery from it. */
function ways(manifest: Manifest): Way[] {
  const byBase = new Map<string, Way>();
  const way = (base: string): Way => {
    const found = byBase.get(base) ?? { base };
    byBase.set(base, found);
    return found;
  };
  for (const row of manifest.deliveries) way(row.base).vendor = row.length;
  for (const row of manifest.routes) way(row.base).here = row.length ?? withShortDigests(row.why ?? '');
  return [...byBase.values()];
}

function Deliveries({ manifest, seen }: { manifest: Manifest; seen: Seen }) {
  return (
    <section class="panel" aria-labelledby="deliveries">
      <h2 id="deliveries">Deliveries</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col" class="num">
              The vendor's
            </th>
            <th scope="col">From this gateway</th>
          </tr>
        </thead>
        <tbody>
          {ways(manifest).map((row) => (
            <tr key={row.base}>
              <th scope="row">
                <Base tree={row.base} seen={seen} />
              </th>
              <td class="num">{row.vendor === undefined ? <span class="dim">none</span> : bytes(row.vendor)}</td>
              <td>{typeof row.here === 'number' ? bytes(row.here) : <span class="dim">{row.here ?? 'no device runs that'}</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="dim small">
        The whole tree has {bytes(manifest.tree_length)}. {manifest.held ? 'This gateway holds it.' : 'This gateway does not hold it yet.'}
      </p>
    </section>
  );
}

function Parts({ manifest }: { manifest: Manifest }) {
  const packages = Object.entries(manifest.packages);
  return (
    <section class="panel" aria-labelledby="parts">
      <h2 id="parts">Components, as measured when it was packed</h2>
      <dl class="facts">
        <Fact name="Firmware">{manifest.firmware_version || 'none'}</Fact>
        <Fact name="Python">{manifest.python || 'none'}</Fact>
        {Object.entries(manifest.provides).map(([name, value]) => (
          <Fact key={name} name={name.replace(/^_+/, '')}>
            {value}
          </Fact>
        ))}
        <Fact name="Needs of the device">{manifest.requires.join(', ') || 'nothing'}</Fact>
      </dl>
      {manifest.models.map((model) => (
        <p key={model.path}>
          Model <b>{model.path}</b> <span class="dim">{model.format}</span>{' '}
          {Object.entries(model.versions).map(([name, value]) => (
            <span key={name} class="chip">
              {name} {value}
            </span>
          ))}
        </p>
      ))}
      <ul class="packages">
        {packages.map(([name, version]) => (
          <li key={name}>
            {name} <b>{version}</b>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Audit({ manifest, now }: { manifest: Manifest; now: string }) {
  return (
    <section class="panel" aria-labelledby="audit">
      <h2 id="audit">Audit</h2>
      {manifest.waivers.length === 0 && <Empty title="No finding was waived">A bundle with an open error cannot be packed.</Empty>}
      <ul class="problems">
        {manifest.waivers.map((waiver) => (
          <li key={waiver.rule + waiver.subject} class="bad">
            <b>
              {waiver.rule}: {waiver.subject}
            </b>
            <p>
              Waived by {waiver.by} until {clock(waiver.until, now)}: {waiver.reason}
            </p>
          </li>
        ))}
      </ul>
      <p class="dim small">The compatibility matrix is with the vendor and the operators; this gateway is not told it.</p>
      <p class="dim">Tests that a canary must pass: {manifest.required_tests.join(', ')}</p>
    </section>
  );
}

export function Bundle({ name, seen }: { name: string; seen: Seen }) {
  const stamp = `${seen.site.supply.state}/${seen.site.supply.text}`;
  const { value, error } = useGet<Manifest>(`/api/bundle?name=${encodeURIComponent(name)}`, stamp);
  const plan = name.replace(/\.json$/, '');
  return (
    <div class="device">
      <section class="panel wide">
        <p class="crumbs">
          <a href="#/bundles">Bundles</a>
        </p>
        <h1>{bundleName(name)}</h1>
        {!value && !error && <div class="wait" aria-hidden="true" />}
        {error && <Empty title={`${error[0]?.toUpperCase()}${error.slice(1)}`}>It is fetched when an operator plans or starts a rollout of it.</Empty>}
        {value && (
          <dl class="facts">
            <Fact name="Vendor">{value.vendor}</Fact>
            <Fact name="Release">{value.release}</Fact>
            <Fact name="Security floor">{value.security_floor}</Fact>
            <Fact name="For hardware">{value.hardware.join(', ')}</Fact>
            <Fact name="Manifest">
              <Digest hex={value.digest} />
            </Fact>
            <Fact name="Tree">
              <Digest hex={value.tree} />
            </Fact>
          </dl>
        )}
        <Command text={`lineside plan ${plan}`} />
      </section>
      {value && <Deliveries manifest={value} seen={seen} />}
      {value && <Audit manifest={value} now={seen.site.now} />}
      {value && (
        <div class="wide">
          <Parts manifest={value} />
        </div>
      )}
    </div>
  );
}
