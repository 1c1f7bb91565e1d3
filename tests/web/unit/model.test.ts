// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, clock, countdown, duration, withShortDigests } from '../../../seeder/web/src/format';
import { applyNodes } from '../../../seeder/web/src/live';
import { batches, headline, moodOf, pieces, problems, progress, tally, versions } from '../../../seeder/web/src/model';
import { placeOf } from '../../../seeder/web/src/hooks';
import { standing, withUnit } from '../../../seeder/web/src/parts/measured';
import { series } from '../../../seeder/web/src/parts/latency_series';
import type { Health, Node, Rollout, Site } from '../../../seeder/web/src/types';

function node(device: string, health: Health, more: Partial<Node> = {}, report: object = {}): Node {
  return {
    device, health, fingerprint: '', hardware: [], groups: [], canary: false, revoked: false, ending: '', why: '',
    heard: '2026-11-22T10:00:00Z',
    report: { inferring: health !== 'not-inferring', state: 'confirmed', bundle: 'vision/1.0.0.json', trees: [], ...report } as never,
    ...more,
  };
}
const site = { now: '2026-11-22T10:00:05Z', supply: { state: 'ready', text: '' }, pending: 0 } as unknown as Site;
const rollout = { sequence: 3, stage: 'batches', batch_count: 3, batches_open: 2, endings: { confirmed: 1, pending: 3 }, reason: '' } as unknown as Rollout;

test('one device that does not infer is never hidden by the others', () => {
  const all = tally([node('a', 'inferring'), node('b', 'not-inferring'), node('c', 'inferring')]);
  assert.equal(headline(all), '2 of 3 devices infer');
  assert.equal(moodOf(all, problems(all, site)), 'bad');
});

test('a silent device does not infer, whatever it said last', () => {
  const all = tally([node('a', 'silent')]);
  assert.equal(all.infer, 0);
  assert.equal(headline(all), 'No device infers');
});

test('a site that gets its first bundle is at work, not broken', () => {
  const all = tally([node('a', 'updating', {}, { inferring: false, bundle: '' }), node('b', 'empty', {}, { inferring: false })]);
  assert.equal(headline(all), 'No device infers yet');
  assert.equal(moodOf(all, problems(all, site)), 'move');
});

test('a revoked device is not counted', () => {
  assert.equal(tally([node('a', 'inferring'), { ...node('b', 'silent'), revoked: true }]).total, 1);
});

test('devices with the same trouble are one problem, with the reason', () => {
  const failed = { error: 'numpy is 1.19.5' };
  const found = problems(tally([node('a', 'failed', {}, failed), node('b', 'failed', {}, failed)]), site);
  assert.equal(found.length, 1);
  assert.deepEqual(found[0]?.devices, ['a', 'b']);
  assert.equal(found[0]?.why, 'numpy is 1.19.5');
});

test('batches are filled in the order of their numbers', () => {
  const list = batches(rollout, [node('a', 'inferring', { batch: 0 }), node('b', 'updating', { batch: 2 })]);
  assert.deepEqual(list.map((batch) => [batch.open, batch.nodes.length]), [[true, 1], [true, 0], [false, 1]]);
  assert.equal(progress(rollout), 0.25);
});

test('versions are counted as devices report them', () => {
  assert.deepEqual(versions([node('a', 'inferring'), node('b', 'inferring'), node('c', 'empty', {}, { bundle: '' })]),
    [['vision 1.0.0', 2], ['nothing installed', 1]]);
});

test('a change replaces, adds and removes rows and keeps the others as they are', () => {
  const before = [node('a', 'inferring'), node('c', 'inferring')];
  const after = applyNodes(before, { site, nodes: [node('b', 'silent')], gone: ['c'], newest_event: 0 });
  assert.deepEqual(after.map((one) => one.device), ['a', 'b']);
  assert.equal(after[0], before[0]);
  assert.equal(applyNodes(before, { site, nodes: [], gone: [], newest_event: 0 }), before);
});

test('the piece map is read most significant bit first', () => {
  assert.deepEqual(pieces(btoa('\xa0'), 4), [true, false, true, false]);
});

test('numbers are written as people read them', () => {
  assert.equal(bytes(0), '0 B');
  assert.equal(bytes(999_600), '1.00 MB');
  assert.equal(bytes(37_230_000), '37.2 MB');
  assert.equal(duration(59), '59 s');
  assert.equal(duration(3600), '1 h');
  assert.equal(duration(93_600), '1 d 2 h');
  assert.equal(countdown(61), '01:01');
  assert.equal(countdown(-3), '00:00');
  assert.equal(withShortDigests(`no tree ${'ab'.repeat(32)} here`), 'no tree abababababab here');
  assert.match(clock('2026-11-22T10:00:00Z', '2026-11-25T10:00:00Z'), /^2026-11-2\d /);
});

test('a measurement stands against its limit', () => {
  assert.equal(standing('21000', 20000), 'over');
  assert.equal(standing('19000', 20000), 'near');
  assert.equal(standing('4100', 20000), '');
  assert.equal(standing('CPUExecutionProvider', 1), '');
  assert.equal(withUnit('latency.p50_us', '4100'), '4.10 ms');
  assert.equal(withUnit('rss_mb', '212.4'), '212 MB');
});

test('a check that timed nothing is a gap in the curve', () => {
  const check = (measured: Record<string, string>) => ({ finished: '2026-11-22T10:00:00Z', phase: 'live', verdict: 'pass', cause: '', measured });
  assert.deepEqual(series([check({ 'latency.p50_us': '4100' }), check({})]).p50, [4.1, null]);
});

test('an address that nobody made is the overview', () => {
  assert.deepEqual(placeOf('').view, 'overview');
  assert.equal(placeOf('#/devices/line1-cell01').name, 'line1-cell01');
  assert.equal(placeOf('#/devices?show=silent').query.get('show'), 'silent');
});
