// SPDX-License-Identifier: Apache-2.0
// Stopping a rollout. Pausing is one press and a confirmation; both are what anybody who may look may do.
import { useRef, useState } from 'preact/hooks';
import { post } from '../api';
import { bundleName } from '../format';
import type { Rollout } from '../types';
import { Command } from './bits';

const words = {
  pause: {
    button: 'Pause rollout',
    says: 'No device begins anything new. Devices in the middle of a switch finish it or go back by themselves.',
  },
  abort: {
    button: 'Abort for good',
    says: 'The rollout ends here. Devices that have switched stay on the new version; the others stay on the old one.',
  },
};

export function StopButton({ rollout }: { rollout: Rollout }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState('');
  const act = async (verb: 'pause' | 'abort') => {
    setBusy(true);
    setTrouble('');
    try {
      await post(`/api/rollouts/${rollout.sequence}/${verb}`);
      dialog.current?.close();
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  const open = () => {
    setTrouble('');
    dialog.current?.showModal();
  };
  return (
    <>
      <button type="button" class="stop" onClick={open}>
        <span class="square" aria-hidden="true" />
        {rollout.paused ? 'Paused' : 'Stop'}
      </button>
      <dialog ref={dialog} class="ask" aria-labelledby="stop-title">
        <h2 id="stop-title">
          Stop rollout {rollout.sequence}, {bundleName(rollout.bundle)}?
        </h2>
        {!rollout.paused && <p>{words.pause.says}</p>}
        {rollout.paused && (
          <>
            <p>It is paused: {rollout.reason}. Resuming needs an operator's key, on the operator's own machine:</p>
            <Command text="lineside rollout resume" />
          </>
        )}
        <details>
          <summary>Abort instead</summary>
          <p>{words.abort.says}</p>
          <button type="button" class="danger" disabled={busy} onClick={() => void act('abort')}>
            {words.abort.button}
          </button>
        </details>
        {trouble && (
          <p class="trouble" role="alert">
            Not done: {trouble}
          </p>
        )}
        <div class="choices">
          {!rollout.paused && (
            <button type="button" class="primary" disabled={busy} autofocus onClick={() => void act('pause')}>
              {words.pause.button}
            </button>
          )}
          <button type="button" onClick={() => dialog.current?.close()}>
            Leave it
          </button>
        </div>
      </dialog>
    </>
  );
}
