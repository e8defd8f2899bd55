// The dashboard and the component where keys are needed.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { promisify } from 'node:util';

import { assertAccessible } from './support/axe.js';
import { startBrowser, withPage } from './support/browser.js';
import { serveFiles } from './support/files.js';
import { BINARY, startHeatstrip } from './support/heatstrip.js';
import { until } from './support/until.js';

const [browser, heatstrip, site] = await Promise.all([startBrowser(), startHeatstrip(), serveFiles()]);
after(() => Promise.all([browser.close(), heatstrip.stop(), site.stop()]));

const VIDEO = 'a/b "c"';
await heatstrip.send(Array.from({ length: 30 }, (_, n) => ({ video_id: VIDEO, viewer_id: `v${n}`, start_sec: 0, end_sec: n === 0 ? 29 : 9 })));
await heatstrip.settledStrip(VIDEO);

/** Makes a key. */
async function makeKey(...flags) {
  const environment = { ...process.env, DATABASE_URL: heatstrip.databaseUrl };
  const { stdout } = await promisify(execFile)(BINARY, ['keys', 'create', ...flags], { env: environment });
  return stdout.split('\n')[0];
}

const READER = await makeKey('--role', 'reader', '--name', 'dashboard');
const EMBED = await makeKey('--role', 'reader', '--min-audience', '5', '--name', 'pages');
// A running server feels it a moment later.
await until(async () => (await fetch(`${heatstrip.url}/v1/videos`)).status === 401);

const strip = (page) => page.locator('heat-strip .bar').first().waitFor();

/** Opens the page of the video, signs in, and hands it over with all that it asks. */
function withSignedIn(use, options = {}) {
  return withPage(browser, { origins: [heatstrip.url], tolerate: [/401/], ...options }, async (page) => {
    const asked = [];
    page.on('request', (request) => asked.push(request));
    await page.goto(`${heatstrip.url}/?video=${encodeURIComponent(VIDEO)}`);
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('heading', { name: 'This heatstrip needs a key' }).waitFor();
    await assertAccessible(page, 'signing in');
    await dialog.getByLabel('Reader key').fill(READER);
    await dialog.getByRole('button', { name: 'Sign in' }).click();
    await strip(page);
    await use(page, asked);
  });
}

test('the files of a strip can be had with a key, which stands in no address', () =>
  withSignedIn(async (page, asked) => {
    for (const [name, file, has] of [
      ['CSV', 'heatmap-a_b__c_.csv', 'bucket,viewers,'],
      ['JSON', 'heatmap-a_b__c_.json', '"viewers":31'],
      ['SVG', 'heatmap-a_b__c_.svg', '<svg'],
    ]) {
      const saving = page.waitForEvent('download');
      await page.getByRole('link', { name, exact: true }).click();
      const saved = await saving;
      assert.equal(saved.suggestedFilename(), file);
      assert.ok((await readFile(await saved.path(), 'utf8')).includes(has), name);
    }
    assert.equal(await page.getByRole('link', { name: 'All videos' }).count(), 1, 'the page is still there');
    const questions = asked.filter((request) => request.url().includes('/v1/'));
    assert.ok(questions.length > 3);
    const files = questions.filter((request) => /format=csv|heatmap\.svg/.test(request.url()));
    assert.equal(files.length, 2);
    for (const request of files) assert.equal((await request.allHeaders()).authorization, `Bearer ${READER}`);
    assert.deepEqual(asked.map((request) => request.url()).filter((url) => /hsr_|key=/.test(url)), []);
    assert.equal((await page.content()).includes(READER), false, 'nor in the page');
  }));

test('a file that cannot be had is a word in its place', () =>
  withSignedIn(async (page) => {
    await page.route('**/heatmap.svg?*', (route) => route.fulfill({
      status: 503, contentType: 'application/problem+json', body: JSON.stringify({ title: 'Service Unavailable', status: 503, detail: 'the database is <i>away</i>' }),
    }));
    await page.getByRole('link', { name: 'SVG', exact: true }).click();
    await page.getByRole('alert').getByText('The file cannot be had: the database is <i>away</i>').waitFor();
    await assertAccessible(page, 'a file that cannot be had');
    await page.unroute('**/heatmap.svg?*');
    const saving = page.waitForEvent('download');
    await page.getByRole('link', { name: 'SVG', exact: true }).click();
    await saving;
    assert.equal(await page.getByRole('alert').getByText('cannot be had').count(), 0);
  }, { tolerate: [/401/, /503/] }));

test('the tag to copy says which key may stand in a page, and works with it', () =>
  withSignedIn(async (page) => {
    const tag = await page.locator('.snippet code').last().textContent();
    assert.match(tag, / key="hsr_…" /);
    await page.getByText('a reader\'s with a minimum audience').waitFor();
    await page.getByText('keys create --role reader --min-audience').waitFor();

    const embed = (key) => site.page(`<!doctype html><html lang="en"><title>A page</title>${tag.replace('hsr_…', key).replace(/<video.*\n/, '')}</html>`);
    await withPage(browser, { origins: [site.origin, heatstrip.url] }, async (page) => {
      await page.goto(embed(EMBED));
      await strip(page);
      const strips = await page.locator('heat-strip').evaluate((shown) => shown.data.buckets.map(({ viewers }) => viewers));
      assert.deepEqual(strips, [30, 30], 'in steps of the minimum, without what one did');
    });
    await withPage(browser, { origins: [site.origin, heatstrip.url], tolerate: [/401/] }, async (page) => {
      await page.goto(embed(READER));
      await page.getByText('this key may not stand in an address').waitFor();
    });
  }));

test('without a key nobody is asked again and again', () =>
  withPage(browser, { origins: [heatstrip.url], tolerate: [/401/] }, async (page) => {
    await page.clock.install();
    await page.goto(`${heatstrip.url}/`);
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: 'A key is needed' }).waitFor();
    await page.getByText('Not signed in').waitFor();
    await assertAccessible(page, 'not signed in');
    let asked = 0;
    page.on('request', () => asked++);
    await page.clock.fastForward(600_000);
    assert.equal(asked, 0);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('Reader key').fill(READER);
    await page.keyboard.press('Enter');
    await page.locator('.videos .row').first().waitFor();
  }));

test('a key that is not good for a page makes room for another', () =>
  withPage(browser, { origins: [heatstrip.url], tolerate: [/401/, /403/] }, async (page) => {
    await page.goto(`${heatstrip.url}/`);
    await page.getByLabel('Reader key').fill(EMBED);
    await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'This key is not good for this page' }).waitFor();
    await assertAccessible(page, 'a key for embeds');
    await page.getByRole('button', { name: 'Use another key' }).click();
    await page.getByLabel('Reader key').fill(READER);
    await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click();
    await page.locator('.videos .row').first().waitFor();
  }));

test('a key lasts as long as the tab', () =>
  withSignedIn(async (page) => {
    await page.reload();
    await strip(page);
    assert.equal(await page.getByRole('dialog').count(), 0);
    await page.evaluate(() => sessionStorage.clear());
    await page.reload();
    await page.getByRole('dialog').waitFor();
  }));
