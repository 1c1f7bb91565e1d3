// SPDX-License-Identifier: Apache-2.0
// Every device as a tile: two hundred fit on a tablet.
import { memo } from 'preact/compat';
import type { Seen } from '../hooks';
import { healthOf, healthText } from '../model';
import type { Health } from '../types';
import { Glyph, Empty } from './bits';

interface TileProps {
  device: string;
  health: Health;
  canary: boolean;
  infers: boolean;
  state: string;
  have: number; // percent of the delivery, -1 without one
}

const Tile = memo(function Tile({ device, health, canary, infers, state, have }: TileProps) {
  const words = `${device}, ${healthText[health]}${health === 'updating' || health === 'failed' ? `, ${state}, ${infers ? 'infers' : 'does not infer'}` : ''}${canary ? ', canary' : ''}`;
  return (
    <a class={`tile ${health}`} href={`#/devices/${device}`} title={words} aria-label={words}>
      <Glyph health={health} />
      <span class="id">{device}</span>
      {canary && <span class="canary" aria-hidden="true">C</span>}
      {have >= 0 && have < 100 && <span class="fill" style={{ transform: `scaleX(${have / 100})` }} />}
    </a>
  );
});

export function DeviceGrid({ seen }: { seen: Seen }) {
  const nodes = seen.nodes.filter((node) => !node.revoked);
  if (nodes.length === 0) {
    return <Empty title="No device is enrolled">A device that runs lineside-node asks by itself; an operator accepts it by its fingerprint.</Empty>;
  }
  return (
    <div class={`floor ${nodes.length > 60 ? 'many' : ''}`}>
      {nodes.map((node) => {
        const transfer = node.report?.transfer;
        return (
          <Tile
            key={node.device}
            device={node.device}
            health={healthOf(node)}
            canary={node.canary}
            infers={node.report?.inferring ?? false}
            state={node.report?.state ?? ''}
            have={transfer && node.report?.state === 'fetching' ? Math.floor((100 * transfer.have) / Math.max(1, transfer.length)) : -1}
          />
        );
      })}
    </div>
  );
}
