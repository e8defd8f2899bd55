// A heatstrip below a path: its pages, what they link to, and what other pages embed.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { promisify } from 'node:util';

import { startBrowser, withPage } from './support/browser.js';
import { serveFiles } from './support/files.js';
import { startHeatstrip } from './support/heatstrip.js';
import { MEDIA, webm } from './support/media.js';
import { until } from './support/until.js';

const [browser, heatstrip, site, film] = await Promise.all([
  startBrowser(),
  startHeatstrip({ environment: { HEATSTRIP_BASE_PATH: '/tools/heat' } }),
  serveFiles({ '/media/': MEDIA }),
  webm(),
]);
after(() => Promise.all([browser.close(), heatstrip.stop(), site.stop()]));

const { origin } = new URL(heatstrip.url);

/** Opens a page; none of what it asks this server may be beside the path. */
function withDashboard(path, use) {
  return withPage(browser, { origins: [origin] }, async (page) => {
    const asked = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(heatstrip.url + path);
    await use(page);
    assert.ok(asked.length > 3);
    assert.deepEqual(asked.filter((url) => !url.startsWith('blob:') && !url.startsWith(`${heatstrip.url}/`)), []);
  });
}

test('with nothing to show it says how to begin, below its path', () =>
  withDashboard('/', async (page) => {
    assert.equal(heatstrip.url, `${origin}/tools/heat`);
    const curl = await page.getByRole('region', { name: 'From a terminal' }).innerText();
    const { stdout } = await promisify(execFile)('bash', ['-c', curl]);
    assert.deepEqual(JSON.parse(stdout), { accepted: 1, rejected: [] });
    const player = await page.getByRole('region', { name: 'In a page with a video' }).innerText();
    assert.match(player, /endpoint: "http:\/\/127\.0\.0\.1:\d+\/tools\/heat",/);
    await heatstrip.settledStrip('my-first-video');
  }));

test('from the list to a video and back', () =>
  withDashboard('/?days=7', async (page) => {
    await page.getByRole('link', { name: /^my-first-video/ }).click();
    await page.locator('heat-strip .bar').first().waitFor();
    assert.equal(page.url(), `${heatstrip.url}/?video=my-first-video&days=7`);
    await page.evaluate(() => (window.sameDocument = true));
    await page.getByRole('link', { name: 'Today' }).click();
    await page.waitForFunction(() => location.search.includes('days=1'));
    await page.locator('main[aria-busy=false]').waitFor();
    assert.equal(await page.evaluate(() => window.sameDocument), true, 'the page stays');
    const saving = page.waitForEvent('download');
    await page.getByRole('link', { name: 'CSV', exact: true }).click();
    assert.match(await readFile(await (await saving).path(), 'utf8'), /^bucket,/);
    const link = await page.getByRole('link', { name: 'SVG', exact: true }).evaluate(({ href }) => href);
    assert.equal((await fetch(link)).headers.get('content-type'), 'image/svg+xml');
    await page.getByRole('link', { name: 'heatstrip', exact: true }).click();
    await page.getByRole('link', { name: /^my-first-video/ }).waitFor();
    assert.equal(page.url(), `${heatstrip.url}/`);
  }));

test('the description, which is tried out below the path too', () =>
  withDashboard('/', async (page) => {
    await page.getByRole('link', { name: 'API' }).click();
    await page.waitForURL(`${heatstrip.url}/docs`);
    await page.getByText('/v1/videos/{video_id}/heatmap').first().waitFor();
    await page.getByText('/healthz').first().waitFor();
    const server = await page.locator('rapi-doc').evaluate((doc) => doc.resolvedSpec?.servers?.[0]?.computedUrl);
    assert.equal(server, heatstrip.url);
  }));

test('other pages embed the component and the client', async () => {
  let tag;
  await withDashboard('/?video=my-first-video', async (page) => {
    await page.locator('heat-strip .bar').first().waitFor();
    tag = await page.locator('.snippet code').last().textContent();
  });
  const html = `<!doctype html><html lang="en"><title>A page</title>${tag.replace('src="…"', `src="/media/${film}" muted`)}
    <script type="module">
      import { heatstrip } from "${heatstrip.url}/heatstrip.js";
      heatstrip(document.querySelector("video"), { endpoint: "${heatstrip.url}", videoId: "played", viewerId: "ada" });
    </script></html>`;
  await withPage(browser, { origins: [site.origin, origin] }, async (page) => {
    await page.goto(site.page(html));
    await page.locator('heat-strip .bar').first().waitFor();
    await page.locator('video').evaluate((video) => video.play());
    await page.waitForFunction(() => document.querySelector('video').currentTime > 2);
    await page.locator('video').evaluate((video) => {
      video.pause();
      window.dispatchEvent(new Event('pagehide'));
    });
    await until(async () => (await heatstrip.strip('played')).viewers === 1);
  });
});
