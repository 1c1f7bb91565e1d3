// SPDX-License-Identifier: Apache-2.0
// Which pieces a device has, as a strip: each column the share of its pieces that are here.
import { useEffect, useRef } from 'preact/hooks';
import { pieces } from '../model';
import type { Transfer } from '../types';

const columns = 256;

function draw(canvas: HTMLCanvasElement, transfer: Transfer, map: string): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const have = pieces(map, transfer.pieces);
  const style = getComputedStyle(canvas);
  const width = Math.min(columns, Math.max(1, have.length));
  canvas.width = width;
  canvas.height = 1;
  for (let x = 0; x < width; ++x) {
    const from = Math.floor((x * have.length) / width);
    const to = Math.max(from + 1, Math.floor(((x + 1) * have.length) / width));
    const share = have.slice(from, to).filter(Boolean).length / (to - from);
    context.globalAlpha = 1;
    context.fillStyle = style.getPropertyValue('--well');
    context.fillRect(x, 0, 1, 1);
    context.globalAlpha = share;
    context.fillStyle = style.getPropertyValue(transfer.have >= transfer.length ? '--ok-fill' : '--move-fill');
    context.fillRect(x, 0, 1, 1);
  }
}

/** Without a map yet the strip is blank: nothing is drawn that is not known. */
export function PieceMap({ transfer, map }: { transfer: Transfer; map: string | undefined }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current && map !== undefined) draw(canvas.current, transfer, map);
  }, [map, transfer.have]);
  const share = Math.round((100 * transfer.have) / Math.max(1, transfer.length));
  return <canvas ref={canvas} class="pieces" role="img" aria-label={`${share} % of ${transfer.pieces} pieces are here`} />;
}
