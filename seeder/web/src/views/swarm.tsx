// SPDX-License-Identifier: Apache-2.0
// What each device has of its delivery and where its bytes came from.
import type { ViewProps } from '../app';
import { bytes, plural, rate } from '../format';
import { useGet, type Seen } from '../hooks';
import { lanRates } from '../model';
import { Digest, Empty, Fact } from '../parts/bits';
import { PieceMap } from '../parts/piece_map';
import type { Node, PieceMaps, Transfer } from '../types';

type Carrier = Node & { report: { transfer: Transfer } };

function carriers(seen: Seen): Map<string, Carrier[]> {
  const byRoot = new Map<string, Carrier[]>();
  for (const node of seen.nodes) {
    if (!node.report?.transfer || node.health === 'silent') continue;
    const root = node.report.transfer.root;
    byRoot.set(root, [...(byRoot.get(root) ?? []), node as Carrier]);
  }
  return byRoot;
}

function Row({ node, map }: { node: Carrier; map: string | undefined }) {
  const transfer = node.report.transfer;
  const sum = Math.max(1, transfer.from_gateway + transfer.from_peers);
  return (
    <li>
      <a href={`#/devices/${node.device}`}>{node.device}</a>
      <PieceMap transfer={transfer} map={map} />
      <span class="num percent">{Math.floor((100 * transfer.have) / Math.max(1, transfer.length))} %</span>
      <span class="num down">{transfer.down_rate ? `↓ ${rate(transfer.down_rate)}` : ''}</span>
      <span class="num up">{transfer.up_rate ? `↑ ${rate(transfer.up_rate)}` : ''}</span>
      <span class="num dim source">{Math.round((100 * transfer.from_peers) / sum)} % from peers</span>
    </li>
  );
}

function Delivery({ root, nodes, maps }: { root: string; nodes: Carrier[]; maps: PieceMaps['pieces'] }) {
  const length = nodes[0]?.report.transfer.length ?? 0;
  const whole = nodes.filter((node) => node.report.transfer.have >= length).length;
  return (
    <section class="panel" aria-label={`Delivery ${root.slice(0, 12)}`}>
      <h2>
        Delivery <Digest hex={root} /> <span class="dim">{bytes(length)}</span>
      </h2>
      <p>
        {whole} of {plural(nodes.length, 'device')} {whole === 1 ? 'has' : 'have'} all of it
      </p>
      <ul class="swarm">
        {nodes.map((node) => (
          <Row key={node.device} node={node} map={maps[node.device]} />
        ))}
      </ul>
    </section>
  );
}

export function Swarm({ seen }: ViewProps) {
  const byRoot = [...carriers(seen)].sort((a, b) => b[1].length - a[1].length);
  const lan = lanRates(seen.nodes);
  const received = byRoot.flatMap(([, nodes]) => nodes).reduce((sum, node) => sum + node.report.transfer.have, 0);
  const { value } = useGet<PieceMaps>('/api/pieces', received);
  return (
    <div class="swarm-view">
      <section class="panel">
        <h1>Swarm</h1>
        <dl class="facts">
          <Fact name="Received now">{rate(lan.lanDown)}</Fact>
          <Fact name="Given now, by devices">{rate(lan.lanUp)}</Fact>
          <Fact name="This directive, from the gateway">{bytes(lan.fromGateway)}</Fact>
          <Fact name="This directive, from peers">{bytes(lan.fromPeers)}</Fact>
        </dl>
      </section>
      {byRoot.length === 0 && (
        <section class="panel">
          <Empty title="No device carries a delivery now">Pieces move when a rollout makes its deliveries ready.</Empty>
        </section>
      )}
      {byRoot.map(([root, nodes]) => (
        <Delivery key={root} root={root} nodes={nodes} maps={value?.pieces ?? {}} />
      ))}
    </div>
  );
}
