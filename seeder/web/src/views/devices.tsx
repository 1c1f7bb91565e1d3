// SPDX-License-Identifier: Apache-2.0
import { memo } from 'preact/compat';
import { useEffect, useState } from 'preact/hooks';
import type { ViewProps } from '../app';
import { ago, bundleName, plural, withShortDigests } from '../format';
import { useGet, type Seen } from '../hooks';
import { healthOf, healths, healthText, tally } from '../model';
import { Command, Empty, HealthTag } from '../parts/bits';
import type { Health, Node, Pending } from '../types';
import { Device } from './device';

const firstRows = 40;

function PendingList({ seen }: { seen: Seen }) {
  const { value, error } = useGet<{ pending: Pending[] }>('/api/pending', `${seen.site.pending}/${seen.site.roster_version}`);
  if (error) return <p class="trouble">Not shown: {error}</p>;
  if (!value) return <div class="wait" aria-hidden="true" />;
  if (value.pending.length === 0) return <Empty title="No device asks to be enrolled" />;
  return (
    <ul class="pending">
      {value.pending.map((device) => (
        <li key={device.fingerprint}>
          <p>
            <b>{device.device}</b> <span class="dim">{device.hardware.join(', ')}</span>, asked {ago(device.last_seen, seen.site.now)}
          </p>
          <p class="dim small">Compare the fingerprint with the one on the device before you accept it.</p>
          <Command text={`lineside accept ${device.device} --fingerprint ${device.fingerprint}`} />
        </li>
      ))}
    </ul>
  );
}

function Filter({ show, all }: { show: string; all: ReturnType<typeof tally> }) {
  const item = (id: string, text: string, number: number) => (
    <a key={id} href={id ? `#/devices?show=${id}` : '#/devices'} aria-current={show === id ? 'true' : undefined}>
      {text} <b>{number}</b>
    </a>
  );
  return (
    <div class="filter" role="group" aria-label="Which devices">
      {item('', 'All', all.total)}
      {healths.map((health) => item(health, healthText[health], all.by[health].length))}
    </div>
  );
}

const Row = memo(function Row({ node, heard }: { node: Node; heard: string }) {
  const report = node.report;
  const health = healthOf(node);
  return (
    <tr>
      <th scope="row">
        <a href={`#/devices/${node.device}`}>{node.device}</a>
        {node.canary && <span class="chip small">canary</span>}
      </th>
      <td>{node.revoked ? <span class="tag">revoked</span> : <HealthTag health={health} />}</td>
      <td class="runs-now">{report?.bundle ? bundleName(report.bundle) : <span class="dim">nothing</span>}</td>
      <td>{report?.state.replace('_', ' ')}</td>
      <td class="dim">{node.hardware.join(', ')}</td>
      <td class="dim num">{heard}</td>
      <td class="reason">{withShortDigests(report?.inferring_cause || report?.error || node.why)}</td>
    </tr>
  );
});

/** What fits a screen is painted first, the rest right after it. */
function useShown(total: number): number {
  const [all, setAll] = useState(false);
  useEffect(() => {
    const later = setTimeout(() => setAll(true), 50);
    return () => clearTimeout(later);
  }, []);
  return all ? total : Math.min(total, firstRows);
}

function List({ seen, show }: { seen: Seen; show: string }) {
  const all = tally(seen.nodes);
  const wanted = healths.includes(show as Health) ? (show as Health) : undefined;
  const rows = wanted ? all.by[wanted] : seen.nodes;
  const shown = useShown(rows.length);
  return (
    <section class="panel" aria-labelledby="devices">
      <h1 id="devices">
        Devices <span class="dim">{plural(seen.nodes.length, 'device')} in roster {seen.site.roster_version}</span>
      </h1>
      <Filter show={show} all={all} />
      {show === 'pending' || seen.site.pending > 0 ? <PendingList seen={seen} /> : null}
      {rows.length === 0 && <Empty title={wanted ? `No device ${healthText[wanted]}` : 'No device is enrolled'} />}
      {rows.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Table of devices">
          <table class="devices">
            <thead>
              <tr>
                <th scope="col">Device</th>
                <th scope="col">Now</th>
                <th scope="col">Runs</th>
                <th scope="col">State</th>
                <th scope="col">Hardware</th>
                <th scope="col">Heard</th>
                <th scope="col">Why</th>
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, shown).map((node) => (
                <Row key={node.device} node={node} heard={ago(node.heard, seen.site.now)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

export function Devices({ seen, place }: ViewProps) {
  if (!place.name) return <List seen={seen} show={place.query.get('show') ?? ''} />;
  const node = seen.nodes.find((one) => one.device === place.name);
  if (node) return <Device node={node} seen={seen} />;
  return (
    <section class="panel">
      <h1>{place.name}</h1>
      <Empty title="No such device is in the roster">
        <a href="#/devices">All devices</a>
      </Empty>
    </section>
  );
}
