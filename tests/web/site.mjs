// SPDX-License-Identifier: Apache-2.0
// Starts page_site (tests/seeder/page/page_site_main.cc) and a browser for a test.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const bin = process.env.LINESIDE_BIN_DIR;
const browserPath = process.env.LINESIDE_CHROMIUM ?? '/usr/bin/chromium';

export class Site {
  static async start(nodes) {
    if (!bin) throw new Error('LINESIDE_BIN_DIR must name the folder with page_site');
    const site = new Site();
    site.process = spawn(`${bin}/page_site`, [String(nodes)], { stdio: ['pipe', 'pipe', 'pipe'] });
    site.log = '';
    site.process.stderr.on('data', (text) => (site.log = (site.log + text).slice(-8000)));
    site.lines = createInterface({ input: site.process.stdout })[Symbol.asyncIterator]();
    const ready = await site.line('ready');
    [, site.url, site.user] = ready.split(' ');
    site.passphrase = ready.split(' ').slice(3).join(' ');
    return site;
  }

  async line(word) {
    const { value, done } = await this.lines.next();
    if (done || !value.startsWith(word)) throw new Error(`page_site said '${value}' instead of '${word}'\n${this.log}`);
    return value;
  }

  async restart(seconds, meanwhile = async () => {}) {
    this.process.stdin.write(`restart ${seconds}\n`);
    await meanwhile();
    await this.line('restarted');
  }

  stop() {
    this.process.stdin.end();
    return new Promise((resolve) => this.process.once('exit', resolve));
  }
}

export function launch() {
  return chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
}

/** A page of its own that fails the test on an error in the console, a foreign request, or a script's error. */
export async function open(browser, site, { size = [1024, 600], scheme = 'light', login = true } = {}) {
  const state = login && site.storage ? { storageState: site.storage } : {};
  const context = await browser.newContext({ viewport: { width: size[0], height: size[1] }, colorScheme: scheme, ...state });
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|net::ERR/.test(message.text())) page.faults.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(site.url)) page.faults.push(`asked ${request.url()}`);
  });
  await page.goto(site.url);
  if (login && site.storage) await page.getByRole('navigation', { name: 'Views' }).waitFor();
  if (login && !site.storage) {
    await logIn(page, site);
    site.storage = await context.storageState();  // attempts to log in are few
  }
  return page;
}

export async function logIn(page, site, passphrase = site.passphrase) {
  await page.getByLabel('User').fill(site.user);
  await page.getByLabel('Passphrase').fill(passphrase);
  await page.getByRole('button', { name: 'Log in' }).click();
  if (passphrase === site.passphrase) await page.getByRole('navigation', { name: 'Views' }).waitFor();
}
