// SPDX-License-Identifier: Apache-2.0
import { countdown, seconds } from '../format';
import { stages } from '../model';
import type { Rollout } from '../types';

const names: Record<(typeof stages)[number], string> = {
  preparing: 'Prepare',
  canaries: 'Canaries',
  soaking: 'Soak',
  batches: 'Batches',
  done: 'Done',
};

/** Where a rollout is. Its soak shows what is left of it. */
export function Steps({ rollout, now }: { rollout: Rollout; now: string }) {
  const ended = rollout.stage === 'aborted' || rollout.stage === 'superseded';
  const at = stages.indexOf(rollout.stage as (typeof stages)[number]);
  return (
    <ol class={`steps ${rollout.paused ? 'paused' : ''} ${ended ? 'ended' : ''}`}>
      {stages.map((stage, index) => {
        const state = at < 0 ? 'todo' : index < at || rollout.stage === 'done' ? 'past' : index === at ? 'here' : 'todo';
        const soak = stage === 'soaking' && state === 'here' && rollout.opens_at;
        const batch = stage === 'batches' && state === 'here';
        return (
          <li key={stage} class={state} aria-current={state === 'here' ? 'step' : undefined}>
            <span class="name">{names[stage]}</span>
            {soak && <span class="more">{countdown(seconds(soak) - seconds(now))}</span>}
            {batch && (
              <span class="more">
                {Math.max(0, rollout.batches_open - 1)} of {rollout.batch_count - 1}
              </span>
            )}
          </li>
        );
      })}
    </ol>
  );
}
