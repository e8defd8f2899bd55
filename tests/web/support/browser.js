// Debian's Chromium, and pages that tolerate no fault.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const CHROMIUM = process.env.HEATSTRIP_CHROMIUM ?? '/usr/bin/chromium';

/**
 * Starts a browser that asks nobody for anything by itself and plays videos without a click.
 *
 * @param {import('playwright-core').LaunchOptions} [options]
 */
export function startBrowser(options) {
  return chromium.launch({
    ...options,
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--autoplay-policy=no-user-gesture-required',
    ],
  });
}

/**
 * Opens a page in a profile of its own and hands it to `use`. The test fails on any error in the page or its console, and on
 * any request to an origin other than `origins`, in popups too.
 *
 * @param {import('playwright-core').Browser} browser
 * @param {{origins: string[], tolerate?: RegExp[], context?: import('playwright-core').BrowserContextOptions}} options
 *   `tolerate`: errors that the test provokes; each must occur, so that none is tolerated for longer than needed
 * @param {(page: import('playwright-core').Page) => Promise<void>} use
 */
export async function withPage(browser, { origins, tolerate = [], context: options }, use) {
  const context = await browser.newContext(options);
  const faults = [];
  context.on('weberror', (error) => faults.push(`page error: ${error.error().stack}`));
  context.on('console', (message) => {
    if (message.type() !== 'error') return;
    const { url } = message.location();
    faults.push(`console error: ${message.text()} (${url})`);
  });
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (/^(https?|wss?):$/.test(protocol) && !origins.includes(origin)) faults.push(`request to ${request.url()}`);
  });
  try {
    await use(await context.newPage());
  } finally {
    await context.close();
  }
  const missed = tolerate.filter((pattern) => !faults.some((fault) => pattern.test(fault)));
  assert.deepEqual(missed, [], 'a fault that should have occurred');
  assert.deepEqual(faults.filter((fault) => !tolerate.some((pattern) => pattern.test(fault))), []);
}
