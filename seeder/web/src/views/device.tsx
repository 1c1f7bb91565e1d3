// SPDX-License-Identifier: Apache-2.0
// One device: what it runs as read from its disk, its last check, what it did.
import { ago, bundleName, bytes, clock, count, withShortDigests } from '../format';
import { useGet, type Seen } from '../hooks';
import { healthOf, isNothing } from '../model';
import { Bar, Digest, Empty, Fact, HealthTag } from '../parts/bits';
import { Events } from '../parts/events';
import { LatencyChart } from '../parts/latency_chart';
import { Measured } from '../parts/measured';
import { PieceMap } from '../parts/piece_map';
import type { Checks, LogEvent, Node, PieceMaps, Report } from '../types';

function Slot({ report, seen }: { report: Report; seen: Seen }) {
  return (
    <section class="panel" aria-labelledby="slot">
      <h2 id="slot">The slot</h2>
      <dl class="facts">
        <Fact name="Runs">{report.bundle ? bundleName(report.bundle) : 'nothing'}</Fact>
        <Fact name="Tree, read from disk">
          {isNothing(report.tree) ? (
            'nothing'
          ) : (
            <>
              <Digest hex={report.tree} /> <span class="dim">{ago(report.tree_read, seen.site.now)}</span>
            </>
          )}
        </Fact>
        <Fact name="Other trees held">
          {report.trees.filter((tree) => tree !== report.tree).map((tree) => (
            <Digest key={tree} hex={tree} />
          ))}
          {report.trees.filter((tree) => tree !== report.tree).length === 0 && 'none'}
        </Fact>
        <Fact name="Free on its disk">{bytes(report.free_bytes)}</Fact>
        <Fact name="Inferences since the switch">{report.inferences ? count(report.inferences) : 'not counted'}</Fact>
        <Fact name="Agent">{report.agent}</Fact>
      </dl>
    </section>
  );
}

function Fetching({ report }: { report: Report }) {
  const transfer = report.transfer;
  const { value } = useGet<PieceMaps>(`/api/pieces?device=${encodeURIComponent(report.device)}`, transfer?.have);
  if (!transfer) return null;
  return (
    <section class="panel" aria-labelledby="transfer">
      <h2 id="transfer">Delivery</h2>
      <Bar done={transfer.have} total={transfer.length} label="Delivery received" />
      <PieceMap transfer={transfer} map={value?.pieces[report.device]} />
      <dl class="facts">
        <Fact name="Here">
          {bytes(transfer.have)} of {bytes(transfer.length)}
        </Fact>
        <Fact name="From the gateway">{bytes(transfer.from_gateway)}</Fact>
        <Fact name="From peers">{bytes(transfer.from_peers)}</Fact>
        <Fact name="Given to others">{bytes(transfer.uploaded)}</Fact>
        <Fact name="Peers now">{transfer.peers}</Fact>
        {transfer.wasted > 0 && <Fact name="Wasted">{bytes(transfer.wasted)}</Fact>}
      </dl>
    </section>
  );
}

function LastCheck({ report, seen }: { report: Report; seen: Seen }) {
  const check = report.check;
  const path = `/api/checks?device=${encodeURIComponent(report.device)}&tree=${report.tree}`;
  const { value } = useGet<Checks>(path, check?.finished);
  return (
    <section class="panel" aria-labelledby="check">
      <h2 id="check">
        Last inference check {check && <span class={`chip ${check.verdict === 'pass' ? 'ok' : 'bad'}`}>{check.verdict}</span>}
      </h2>
      {!check && <Empty title="No check has run yet" />}
      {check && (
        <>
          <p class="dim">
            {check.phase}, finished {clock(check.finished, seen.site.now)}
          </p>
          {check.cause && <p class="bad-text lead">{check.cause}</p>}
          {value && <LatencyChart checks={value.checks} limitUs={value.budgets?.['latency.p50_us']} />}
          <Measured measured={check.measured} limits={value?.budgets} />
          {value && !value.budgets && <p class="dim small">Its limits are not known here: the gateway does not hold that tree.</p>}
          {value?.stderr_tail && (
            <details>
              <summary>End of its standard error</summary>
              <pre>{value.stderr_tail}</pre>
            </details>
          )}
        </>
      )}
    </section>
  );
}

export function Device({ node, seen }: { node: Node; seen: Seen }) {
  const report = node.report;
  const log = useGet<{ events: LogEvent[] }>(`/api/events?device=${encodeURIComponent(node.device)}`, seen.newestEvent);
  return (
    <div class="device">
      <section class="panel wide">
        <p class="crumbs">
          <a href="#/devices">Devices</a>
        </p>
        <h1>
          {node.device} {node.revoked ? <span class="chip bad">revoked</span> : <HealthTag health={healthOf(node)} />}
        </h1>
        {report?.inferring_cause && <p class="bad-text lead">{report.inferring_cause}</p>}
        {report?.damage && <p class="bad-text lead">{report.damage}</p>}
        {report?.error && <p class={`lead ${node.health === 'failed' ? 'bad-text' : 'dim'}`}>{withShortDigests(report.error)}</p>}
        <dl class="facts">
          <Fact name="State">{report?.state.replace('_', ' ') ?? 'never heard of'}</Fact>
          <Fact name="Heard">{ago(node.heard, seen.site.now)}</Fact>
          <Fact name="Hardware">{node.hardware.join(', ')}</Fact>
          {node.groups.length > 0 && <Fact name="Groups">{node.groups.join(', ')}</Fact>}
          <Fact name="Rollout">
            {node.batch === undefined ? 'not meant' : node.batch === 0 ? 'canary' : `batch ${node.batch}`}
            {node.ending && `, ${node.ending}`}
          </Fact>
          <Fact name="Key">
            <code class="digest">{node.fingerprint}</code>
          </Fact>
        </dl>
        {node.why && node.why !== report?.error && <p>{node.why}</p>}
      </section>
      {report && <LastCheck report={report} seen={seen} />}
      {report && (
        <div class="side">
          <Slot report={report} seen={seen} />
          <Fetching report={report} />
        </div>
      )}
      <section class="panel wide" aria-labelledby="history">
        <h2 id="history">History</h2>
        {log.error && <p class="trouble">Not shown: {log.error}</p>}
        {log.value && <Events events={log.value.events} now={seen.site.now} />}
      </section>
    </div>
  );
}
