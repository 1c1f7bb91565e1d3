// SPDX-License-Identifier: Apache-2.0
// Takes the pictures in seeder/web/screenshots.
//
// usage: LINESIDE_BIN_DIR=build/release/bin node shots.mjs OUT-FOLDER
import { join } from 'node:path';
import { launch, open, Site } from './site.mjs';

const out = process.argv[2];
const tablet = [1024, 600];
const shots = [
  ['overview', '', tablet, 'light'],
  ['overview-dark', '', tablet, 'dark'],
  ['rollout', 'rollout', [1280, 900], 'light'],
  ['swarm', 'swarm', tablet, 'dark'],
  ['device', 'devices/line1-cell01', [1280, 900], 'light'],
  ['device-dead', 'devices/line1-cell05', tablet, 'dark'],
  ['devices', 'devices', tablet, 'light'],
  ['bundle', 'bundles/vision/2.0.0.json', [1280, 900], 'light'],
  ['log', 'log', tablet, 'light'],
  ['phone', '', [390, 844], 'dark'],
];

const site = await Site.start(48);
const browser = await launch();
try {
  for (const [name, view, size, scheme] of shots) {
    const page = await open(browser, site, { size, scheme });
    await page.goto(`${site.url}#/${view}`);
    await page.locator('main h1').first().waitFor();
    await page.locator('.wait').waitFor({ state: 'detached' });
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(out, `${name}.png`) });
    await page.context().close();
  }
} finally {
  await browser.close();
  await site.stop();
}
