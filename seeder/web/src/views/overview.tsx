// SPDX-License-Identifier: Apache-2.0
// Does the plant infer, what moves, what is stuck and why.
import type { ViewProps } from '../app';
import { Bar, Empty, Fact, Glyph } from '../parts/bits';
import { DeviceGrid } from '../parts/device_grid';
import { Steps } from '../parts/steps';
import { ago, bundleName, bytes, plural, rate, withShortDigests } from '../format';
import type { Seen } from '../hooks';
import { atWork, headline, healths, healthText, infers, isRunning, lanRates, moodOf, problems, progress, tally, versions, waitsFor, type Problem, type Tally } from '../model';

function Verdict({ all, seen }: { all: Tally; seen: Seen }) {
  return (
    <section class={`panel verdict ${moodOf(all, problems(all, seen.site))}`} aria-labelledby="verdict">
      <h1 id="verdict">{headline(all)}</h1>
      <div class="stack" role="img" aria-label={healths.map((h) => `${healthText[h]}: ${all.by[h].length}`).join(', ')}>
        {healths.map((h) => all.by[h].length > 0 && <span key={h} class={h} style={{ flexGrow: all.by[h].length }} />)}
      </div>
      <ul class="legend">
        {healths.map((h) => (
          <li key={h} class={all.by[h].length ? '' : 'none'}>
            <a href={`#/devices?show=${h}`}>
              <Glyph health={h} />
              <b>{all.by[h].length}</b> {healthText[h]}
            </a>
          </li>
        ))}
      </ul>
      <p class="runs">
        {all.by.updating.length > 0 && (
          <span>
            <b>{all.by.updating.filter(infers).length}</b> of the {all.by.updating.length} that update infer meanwhile
          </span>
        )}
        {versions(seen.nodes).map(([name, number]) => (
          <span key={name}>
            <b>{number}</b> {name}
          </span>
        ))}
      </p>
    </section>
  );
}

function Traffic({ seen }: { seen: Seen }) {
  const { site } = seen;
  const lan = lanRates(seen.nodes);
  const used = site.rollout ? site.rollout.wan_payload + site.rollout.wan_metadata : 0;
  const sum = lan.fromGateway + lan.fromPeers;
  return (
    <section class="panel traffic" aria-label="Traffic">
      <dl>
        <Fact name="WAN now">{site.supply.state === 'fetching' ? (site.wan_rate === undefined ? 'measuring' : rate(site.wan_rate)) : 'quiet'}</Fact>
        <Fact name="LAN now">{lan.transfers ? rate(lan.lanDown) : 'quiet'}</Fact>
        <Fact name="WAN, this release">
          {bytes(used)}
          {site.wan_budget > 0 && ` of ${bytes(site.wan_budget)}`}
        </Fact>
        <Fact name="WAN, ever">{bytes(site.wan_total)}</Fact>
      </dl>
      {site.wan_budget > 0 ? (
        <Bar done={used} total={site.wan_budget} label="WAN budget of this release used" tone={used > 0.9 * site.wan_budget ? 'warn' : 'move'} />
      ) : (
        <p class="dim small">No byte budget is set for a release.</p>
      )}
      {sum > 0 && (
        <p class="share">
          <b>{Math.round((100 * lan.fromPeers) / sum)} %</b> of {bytes(sum)} came from peers
        </p>
      )}
      <p class="dim small">
        Origin asked {ago(site.supply.checked, site.now)}
        {site.supply.text && !['idle', 'waiting'].includes(site.supply.state) ? `; ${withShortDigests(site.supply.text)}` : ''}
      </p>
    </section>
  );
}

function Moves({ seen }: { seen: Seen }) {
  const rollout = seen.site.rollout;
  const busy = atWork(seen.nodes);
  return (
    <section class="panel" aria-labelledby="moves">
      <h2 id="moves">What moves</h2>
      {!rollout && <Empty title="No rollout yet">An operator starts one with “lineside rollout start”.</Empty>}
      {rollout && !isRunning(rollout) && (
        <Empty title="Nothing moves">
          Rollout {rollout.sequence}, {bundleName(rollout.bundle)}: {rollout.stage}. <a href="#/rollout">See it</a>
        </Empty>
      )}
      {rollout && isRunning(rollout) && (
        <>
          <p class="lead">
            <a href="#/rollout">
              Rollout {rollout.sequence}: {bundleName(rollout.bundle)}
            </a>
          </p>
          <Steps rollout={rollout} now={seen.site.now} />
          <Bar done={progress(rollout)} total={1} label="Devices that have ended" />
          <p>
            <b>{rollout.endings['confirmed'] ?? 0}</b> confirmed, <b>{rollout.endings['pending'] ?? 0}</b> to come
            {busy > 0 && `, ${plural(busy, 'device')} at work`}
          </p>
          <p class="dim">{waitsFor(rollout, seen.nodes)}</p>
        </>
      )}
    </section>
  );
}

function ProblemRow({ problem }: { problem: Problem }) {
  return (
    <li class={problem.severity}>
      <a href={problem.link}>{problem.title}</a>
      {problem.why && <p>{withShortDigests(problem.why)}</p>}
      {problem.devices.length > 0 && (
        <p class="dim small">
          {problem.devices.slice(0, 6).join(', ')}
          {problem.devices.length > 6 && ` and ${problem.devices.length - 6} more`}
        </p>
      )}
    </li>
  );
}

function Stuck({ seen, all }: { seen: Seen; all: Tally }) {
  const found = problems(all, seen.site);
  return (
    <section class="panel" aria-labelledby="stuck">
      <h2 id="stuck">What is stuck</h2>
      {found.length === 0 && <Empty title="Nothing is stuck" />}
      <ul class="problems">
        {found.map((problem) => (
          <ProblemRow key={problem.title + problem.why} problem={problem} />
        ))}
      </ul>
      {seen.site.pending > 0 && (
        <p>
          <a href="#/devices?show=pending">{plural(seen.site.pending, 'device asks', 'devices ask')} to be enrolled</a>
        </p>
      )}
    </section>
  );
}

export function Overview({ seen }: ViewProps) {
  const all = tally(seen.nodes);
  return (
    <div class="overview">
      <Verdict all={all} seen={seen} />
      <Traffic seen={seen} />
      <Moves seen={seen} />
      <Stuck seen={seen} all={all} />
      <section class="panel wide" aria-labelledby="floor">
        <h2 id="floor">The floor</h2>
        <DeviceGrid seen={seen} />
      </section>
    </div>
  );
}
