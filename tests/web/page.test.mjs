// SPDX-License-Identifier: Apache-2.0
// The page in a real browser, against a real gateway in the middle of a rollout.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { launch, logIn, open, Site } from './site.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const views = ['', 'rollout', 'swarm', 'devices', 'devices/line1-cell01', 'devices/line1-cell05', 'bundles', 'bundles/vision/2.0.0.json', 'log'];
let site;
let browser;

before(async () => {
  site = await Site.start(40);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.stop();
});

async function show(page, view) {
  await page.goto(`${site.url}#/${view}`);
  await page.locator('main h1').first().waitFor();
  await page.locator('.wait').waitFor({ state: 'detached' });
}

async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  return found.violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.html).join(' ')}`);
}

test('every view opens, with no fault, no foreign request and no barrier, in both colour schemes', async () => {
  for (const scheme of ['light', 'dark']) {
    const page = await open(browser, site, { scheme });
    for (const view of views) {
      await show(page, view);
      assert.deepEqual(await violations(page), [], `${scheme} #/${view}`);
    }
    assert.deepEqual(page.faults, []);
    await page.context().close();
  }
});

test('no view is wider than a phone or a tablet', async () => {
  for (const size of [[390, 844], [1024, 600]]) {
    const page = await open(browser, site, { size });
    for (const view of views) {
      await show(page, view);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(over <= 0, `#/${view} at ${size}: ${over} px too wide`);
    }
    await page.context().close();
  }
});

test('says in the first screen who infers, what is stuck and why', async () => {
  const page = await open(browser, site);
  await page.getByRole('heading', { level: 1, name: '39 of 40 devices infer' }).waitFor();
  await page.getByText('1 device does not infer').waitFor();
  await page.getByText("output 'y' differs by 0.31, allowed 0.001").first().waitFor();
  await page.getByText('numpy is 1.19.5').first().waitFor();
  await page.context().close();
});

test('a wrong passphrase is refused in words and shows nothing', async () => {
  const page = await open(browser, site, { login: false });
  await logIn(page, site, 'wrong horse battery');
  await page.getByRole('alert').getByText('do not fit').waitFor();
  assert.equal(await page.getByRole('navigation').count(), 0);
  await page.context().close();
});

test('the login form has no barrier', async () => {
  const page = await open(browser, site, { login: false });
  await page.getByLabel('User').waitFor();
  assert.deepEqual(await violations(page), []);
  await page.context().close();
});

test('pieces arrive without a reload', async () => {
  const page = await open(browser, site);
  const drawn = page.waitForResponse((response) => response.url().endsWith('/api/pieces') && response.ok());
  await show(page, 'swarm');
  assert.notDeepEqual((await (await drawn).json()).pieces, {});
  const percent = page.locator('.swarm .percent').first();
  const before = await percent.textContent();
  await page.waitForFunction((old) => document.querySelector('.swarm .percent')?.textContent !== old, before);
  await page.context().close();
});

test('works by keyboard alone', async () => {
  const page = await open(browser, site);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to the content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'main');
  await page.getByRole('button', { name: 'Stop' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Pause rollout');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await page.context().close();
});

test('marks what it shows as old while the gateway is away, and goes on by itself', async () => {
  const page = await open(browser, site);
  await site.restart(9, () => page.getByRole('alert').getByText('No word from the gateway').waitFor());
  await page.getByRole('alert').waitFor({ state: 'detached' });
  const first = await page.locator('.link time').textContent();
  await page.waitForFunction((old) => document.querySelector('.link time')?.textContent !== old, first);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('a restart that nobody noticed loses nothing', async () => {
  const page = await open(browser, site);
  const states = [];
  page.on('response', (response) => response.url().endsWith('/api/state') && states.push(response.status()));
  await site.restart(1);
  while (!states.includes(200)) await page.waitForEvent('response');
  await page.getByRole('heading', { level: 1, name: '39 of 40 devices infer' }).waitFor();
  await page.context().close();
});

test('two hundred devices: nothing jumps while they move', async () => {
  const large = await Site.start(200);
  try {
    const page = await open(browser, large);
    await page.goto(`${large.url}#/`);
    await page.locator('.floor .tile').nth(199).waitFor();
    const shift = await page.evaluate(async () => {
      let sum = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
      }).observe({ type: 'layout-shift', buffered: false });
      await new Promise((resolve) => setTimeout(resolve, 4000));
      return sum;
    });
    assert.ok(shift < 0.01, `layout shift ${shift}`);
    // What the main thread works for a change of view, in its own time: the machine may be busy.
    const tools = await page.context().newCDPSession(page);
    await tools.send('Performance.enable', { timeDomain: 'threadTicks' });
    const worked = async () => {
      const { metrics } = await tools.send('Performance.getMetrics');
      return 1000 * metrics.find((one) => one.name === 'TaskDuration').value;
    };
    const took = [];
    for (const view of ['devices', 'swarm', 'rollout', '']) {
      const begun = await worked();
      await page.evaluate(async (hash) => {
        location.hash = `#/${hash}`;
        await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      }, view);
      took.push(`${view || 'overview'} ${((await worked()) - begun).toFixed(0)} ms`);
    }
    console.log(`main thread per change of view, 200 devices: ${took.join(', ')}`);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  } finally {
    await large.stop();
  }
});

test('stop pauses the rollout, in the name of who pressed it, and offers no way to resume here', async () => {
  const page = await open(browser, site);
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('button', { name: 'Pause rollout' }).click();
  await page.getByText('Rollout 1 is paused').waitFor();
  await page.locator('main').getByText('paused by user anna').first().waitFor();
  await page.getByRole('button', { name: 'Paused' }).click();
  await page.getByText('lineside rollout resume').waitFor();
  await page.getByText('Abort instead').click();
  await page.getByRole('button', { name: 'Abort for good' }).click();
  await page.getByText('Rollout 1 was aborted').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Stop' }).count(), 0);
  await show(page, 'log');
  await page.locator('main').getByText('user anna').first().waitFor();
  await page.context().close();
});

test('whoever logs out sees the login, in every window', async () => {
  const page = await open(browser, site);
  const other = await page.context().newPage();
  await other.goto(site.url);
  await other.getByRole('navigation', { name: 'Views' }).waitFor();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Passphrase').waitFor();
  await other.getByLabel('Passphrase').waitFor();
  await page.context().close();
});
