// SPDX-License-Identifier: Apache-2.0
// One rollout: where it is, what it waits for, the evidence at its gate, its batches as they fill.
import { memo } from 'preact/compat';
import type { ViewProps } from '../app';
import { bundleName, bytes, clock, countdown, duration, plural, seconds } from '../format';
import { useGet, type Seen } from '../hooks';
import { batches, isRunning, progress, waitsFor, type Batch } from '../model';
import { Bar, Command, Empty, Fact } from '../parts/bits';
import { Order, Statements } from '../parts/evidence';
import { Steps } from '../parts/steps';
import type { Canary, Evidence, Node, Rollout } from '../types';

const evidenceText: Record<Canary['evidence'], string> = {
  missing: 'no attestation yet',
  invalid: 'attestation does not count',
  failed: 'attested FAILED',
  passed: 'attested PASSED',
};

function CanaryRow({ canary, node }: { canary: Canary; node: Node | undefined }) {
  return (
    <li class={`canary-row ${canary.evidence}`}>
      <a href={`#/devices/${canary.device}`}>{canary.device}</a>
      <span class="dim">{node?.hardware.join(', ')}</span>
      <span class="verdict-word">{evidenceText[canary.evidence]}</span>
      <span class="dim">{canary.why && canary.why !== canary.evidence ? canary.why : canary.evidence === 'missing' ? node?.report?.state.replace('_', ' ') : ''}</span>
    </li>
  );
}

function Gate({ rollout, seen }: { rollout: Rollout; seen: Seen }) {
  const byId = new Map(seen.nodes.map((node) => [node.device, node]));
  const left = rollout.opens_at ? seconds(rollout.opens_at) - seconds(seen.site.now) : 0;
  return (
    <section class="panel" aria-labelledby="gate">
      <h2 id="gate">
        The gate <span class={`chip ${rollout.gate_open ? 'ok' : 'shut'}`}>{rollout.gate_open ? 'open' : 'shut'}</span>
      </h2>
      <p class="dim">Every device checks this evidence itself before it switches.</p>
      {rollout.canaries.length === 0 && <Empty title={rollout.gate || 'No evidence is at hand'} />}
      <ul class="canaries">
        {rollout.canaries.map((canary) => (
          <CanaryRow key={canary.device} canary={canary} node={byId.get(canary.device)} />
        ))}
      </ul>
      {left > 0 && rollout.soak_s !== undefined && (
        <div class="soak">
          <span class="clock">{countdown(left)}</span>
          <span class="dim">left of a soak of {duration(rollout.soak_s)}</span>
          <Bar done={rollout.soak_s - left} total={rollout.soak_s} label="Soak" />
        </div>
      )}
      {rollout.canaries.length > 0 && !rollout.gate_open && <p>{rollout.gate}</p>}
    </section>
  );
}

const mark: Record<string, string> = { confirmed: 'ok', failed: 'bad', silent: 'bad', stalled: 'bad', unfinished: 'bad', withdrawn: 'gone', pending: 'todo' };

interface CellProps {
  device: string;
  ending: string;
  state: string;
}

const Cell = memo(function Cell({ device, ending, state }: CellProps) {
  const work = ending === 'pending' && state !== 'idle' ? state : ending;
  const words = `${device}: ${work}`;
  const tone = ending === 'pending' && !['idle', 'gated', 'confirmed'].includes(state) ? 'work' : mark[ending];
  return <a class={`cell ${tone}`} href={`#/devices/${device}`} title={words} aria-label={words} />;
});

function BatchRow({ batch, rollout, now }: { batch: Batch; rollout: Rollout; now: string }) {
  const ended = batch.nodes.filter((node) => node.ending !== 'pending').length;
  const name = batch.index === 0 ? 'Canaries' : `Batch ${batch.index}`;
  const state = ended === batch.nodes.length && batch.nodes.length > 0 ? 'done' : batch.open ? 'open' : 'waits';
  return (
    <li class={state}>
      <span class="name">{name}</span>
      <span class="cells">
        {batch.nodes.map((node) => (
          <Cell
            key={node.device}
            device={node.device}
            ending={node.ending}
            state={node.report?.directive_sequence === rollout.sequence ? node.report.state : 'idle'}
          />
        ))}
      </span>
      <span class="sum">
        {ended} of {batch.nodes.length}
      </span>
      <span class="dim since">{batch.opened ? `open since ${clock(batch.opened, now)}` : 'not open'}</span>
    </li>
  );
}

function Documents({ rollout, seen }: { rollout: Rollout; seen: Seen }) {
  const stamp = `${rollout.sequence}/${rollout.canaries.map((canary) => canary.evidence).join()}`;
  const { value, error } = useGet<Evidence>('/api/evidence', stamp);
  return (
    <section class="panel wide" aria-labelledby="documents">
      <h2 id="documents">Signed documents</h2>
      {error && <p class="trouble">Not shown: {error}</p>}
      {!value && !error && <div class="wait" aria-hidden="true" />}
      {value && <Order directive={value.directive} now={seen.site.now} />}
      {value && <Statements evidence={value} now={seen.site.now} />}
    </section>
  );
}

function Facts({ rollout, seen }: { rollout: Rollout; seen: Seen }) {
  const used = rollout.wan_payload + rollout.wan_metadata;
  return (
    <dl class="facts">
      <Fact name="Ordered">{clock(rollout.issued, seen.site.now)}</Fact>
      {rollout.expires && <Fact name="Expires">{clock(rollout.expires, seen.site.now)}</Fact>}
      {rollout.soak_s !== undefined && <Fact name="Soak">{duration(rollout.soak_s)}</Fact>}
      <Fact name="WAN bytes">{bytes(used)}</Fact>
    </dl>
  );
}

function NextStep({ rollout }: { rollout: Rollout }) {
  const back = `lineside rollout rollback`;
  return (
    <section class="panel" aria-labelledby="next">
      <h2 id="next">On the operator's machine</h2>
      <p class="dim">These need an operator's signature, so this page can only say how.</p>
      {rollout.paused && isRunning(rollout) && <Command text="lineside rollout resume" />}
      {isRunning(rollout) && <Command text="lineside rollout watch" />}
      <Command text={back} />
      <Command text="lineside report" />
    </section>
  );
}

export function RolloutView({ seen }: ViewProps) {
  const rollout = seen.site.rollout;
  if (!rollout) {
    return (
      <section class="panel">
        <h1>Rollout</h1>
        <Empty title="There was no rollout at this site yet">An operator sees what would happen, then starts it:</Empty>
        <Command text="lineside plan NAME/VERSION" />
        <Command text="lineside rollout start NAME/VERSION" />
      </section>
    );
  }
  const failed = ['failed', 'silent', 'stalled'].reduce((sum, ending) => sum + (rollout.endings[ending] ?? 0), 0);
  return (
    <div class="rollout">
      <section class="panel wide">
        <h1>
          {bundleName(rollout.bundle)} <span class="dim">rollout {rollout.sequence}</span>
          {rollout.paused && <span class="chip warn">paused</span>}
          {!isRunning(rollout) && <span class="chip">{rollout.stage}</span>}
        </h1>
        <Steps rollout={rollout} now={seen.site.now} />
        <Bar done={progress(rollout)} total={1} label="Devices that have ended" />
        <p class="lead">{waitsFor(rollout, seen.nodes)}</p>
        <p>
          <b>{rollout.endings['confirmed'] ?? 0}</b> confirmed, <b>{rollout.endings['pending'] ?? 0}</b> to come
          {failed > 0 && <span class="bad-text">, {plural(failed, 'failure')}</span>}
        </p>
        <Facts rollout={rollout} seen={seen} />
      </section>
      <section class="panel wide" aria-labelledby="batches">
        <h2 id="batches">Batches</h2>
        <ul class="batches">
          {batches(rollout, seen.nodes).map((batch) => (
            <BatchRow key={batch.index} batch={batch} rollout={rollout} now={seen.site.now} />
          ))}
        </ul>
      </section>
      <Gate rollout={rollout} seen={seen} />
      <NextStep rollout={rollout} />
      <Documents rollout={rollout} seen={seen} />
    </div>
  );
}
