// SPDX-License-Identifier: Apache-2.0
// The signed documents behind the gate: who ordered it, and what each canary signed.
import { bundleName, clock, count, duration } from '../format';
import type { Attestation, Directive, Evidence } from '../types';
import { Command, Digest, Fact } from './bits';
import { Measured } from './measured';

export function Order({ directive, now }: { directive: Directive; now: string }) {
  return (
    <dl class="facts">
      <Fact name="Signed by operators">
        {directive.signers.map((key) => (
          <Digest key={key} hex={key} />
        ))}
      </Fact>
      <Fact name="Directive">
        <Digest hex={directive.digest} />
      </Fact>
      <Fact name="Manifest">
        <Digest hex={directive.manifest} />
      </Fact>
      <Fact name="Issued">{clock(directive.issued, now)}</Fact>
      <Fact name="Expires">{clock(directive.expires, now)}</Fact>
      <Fact name="Soak">{duration(directive.soak_s)}</Fact>
      <Fact name="Devices in a batch">{directive.batch_size}</Fact>
      <Fact name="Stops above">
        {directive.failure_percent} % failed of {directive.failure_minimum} or more
      </Fact>
      <Fact name="Then">{directive.on_failure === 'rollback' ? 'prepares the way back' : 'pauses'}</Fact>
      <Fact name="A silent device fails after">{duration(directive.device_deadline_s)}</Fact>
    </dl>
  );
}

function Statement({ said, now }: { said: Attestation; now: string }) {
  if (said.invalid) return <p class="bad-text">One that does not count: {said.invalid}</p>;
  return (
    <details class="statement">
      <summary>
        {said.device} signed <b class={said.outcome === 'passed' ? 'ok-text' : 'bad-text'}>{said.outcome?.toUpperCase()}</b>
        <span class="dim"> {said.finished && clock(said.finished, now)}</span>
      </summary>
      {said.cause && <p class="bad-text">{said.cause}</p>}
      <dl class="facts">
        <Fact name="Read back from its disk">{said.tree && <Digest hex={said.tree} />}</Fact>
        <Fact name="Inferences in the trial">{count(said.inferences ?? 0)}</Fact>
        <Fact name="Tests passed">{said.passed_tests?.length ?? 0}</Fact>
        <Fact name="Tests failed">{said.failed_tests?.length ? said.failed_tests.join(', ') : 'none'}</Fact>
        <Fact name="Document">{said.digest && <Digest hex={said.digest} />}</Fact>
      </dl>
      {said.measured && <Measured measured={said.measured} />}
      <p class="dim small">As the device signed it (DSSE). Check it on your own machine:</p>
      <Command text="lineside attest verify" />
      <pre tabIndex={0}>{atob(said.envelope)}</pre>
    </details>
  );
}

export function Statements({ evidence, now }: { evidence: Evidence; now: string }) {
  if (evidence.attestations.length === 0) {
    return <p class="dim">No canary of {bundleName(evidence.directive.bundle)} has signed anything yet.</p>;
  }
  return (
    <>
      {evidence.attestations.map((said) => (
        <Statement key={said.envelope} said={said} now={now} />
      ))}
    </>
  );
}
