// The dashboard where there are views and a catalogue: what leads, titles and pictures, orders, trends and days.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';

import { assertAccessible } from './support/axe.js';
import { startBrowser, withPage } from './support/browser.js';
import { startHeatstrip } from './support/heatstrip.js';
import { until } from './support/until.js';

const DAY_MS = 86_400_000;
const PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="160" height="90"><rect width="160" height="90" fill="#b8301b"/></svg>';

/** Where the pictures come from, and which were asked for. */
const pictures = await new Promise((resolve) => {
  const asked = [];
  const server = createServer(({ url, headers }, response) => {
    asked.push([url, headers.referer]);
    if (url.startsWith('/gone')) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': 'image/svg+xml' }).end(PICTURE);
  });
  server.listen(0, '127.0.0.1', () => resolve({ server, asked, origin: `http://127.0.0.1:${server.address().port}` }));
});
const [browser, heatstrip] = await Promise.all([
  startBrowser(),
  startHeatstrip({ environment: { HEATSTRIP_THUMBNAIL_ORIGINS: pictures.origin } }),
]);
after(async () => {
  await Promise.all([browser.close(), heatstrip.stop()]);
  pictures.server.close();
});

const TITLES = { 'v-1': 'How <b>sketches</b> count', 'v-2': 'Ramen, & eggs', 'v-3': null };

async function call(method, path, body) {
  const answer = await fetch(heatstrip.url + path, { method, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${answer.ok ? '' : await answer.text()}`);
  return answer.status === 204 ? null : answer.json();
}

function withDashboard(path, use, options = {}) {
  return withPage(browser, { origins: [heatstrip.url, pictures.origin], ...options }, async (page) => {
    await page.goto(heatstrip.url + path);
    await use(page);
  });
}

const settled = (page) => page.locator('main[aria-busy=false]').waitFor();
const ids = (page) => page.locator('.videos .id').allInnerTexts();
const lead = (page) => page.locator('.numbers.lead > div').evaluateAll((groups) =>
  groups.map((group) => [...group.children].map(({ textContent }) => textContent)));

test('what people will look at is there', async () => {
  const at = (daysAgo) => new Date(Date.now() - daysAgo * DAY_MS - 60_000).toISOString();
  const [beats, views] = [[], []];
  const videos = { 'v-1': 30, 'v-2': 50, 'v-3': 8 };
  for (const [video_id, people] of Object.entries(videos)) {
    for (let viewer = 0; viewer < people; viewer++) {
      const one = { video_id, viewer_id: `v${viewer}`, region: viewer % 2 ? 'JP' : 'US' };
      beats.push({ ...one, start_sec: 0, end_sec: video_id === 'v-1' ? 299 : 59 });
      if (viewer < 5) beats.push({ ...one, at: at(1), start_sec: 0, end_sec: 9 });
    }
  }
  // Few views of what many watched, so that each order is another.
  for (const [video_id, people] of Object.entries({ 'v-1': 12, 'v-2': 7, 'v-3': 25 })) {
    for (let viewer = 0; viewer < people; viewer++) views.push({ video_id, viewer_id: `v${viewer}`, region: 'JP', at: at(viewer < 3 ? 1 : 0) });
  }
  await heatstrip.send(beats);
  await call('POST', '/v1/views', views);
  await call('PUT', '/v1/videos/v-1', { title: TITLES['v-1'], channel: 'Counting', duration_sec: 300, thumbnail_url: `${pictures.origin}/one.svg`, published_at: '2026-11-01T10:00:00Z' });
  await call('PUT', '/v1/videos/v-2', { title: TITLES['v-2'], thumbnail_url: 'https://elsewhere.example/two.svg' });
  await call('PUT', '/v1/videos/v-3', { thumbnail_url: `${pictures.origin}/gone.svg` });
  for (const id of Object.keys(videos)) await heatstrip.settledStrip(id);
  await until(async () => (await call('GET', '/v1/videos/v-3/views')).views === 25);
});

test('the list has titles, and pictures from where they may come', () =>
  withDashboard('/', async (page) => {
    await page.getByRole('link', { name: /^Ramen, & eggs/ }).waitFor();
    await settled(page);
    assert.deepEqual(await ids(page), [TITLES['v-1'], TITLES['v-2'], 'v-3'], 'by watch time; an id where there is no title');
    assert.equal(await page.locator('.under').first().innerText(), 'Counting · v-1');
    assert.equal(await page.locator('.videos b').count(), 3, 'a title is text');
    await until(() => pictures.asked.length >= 2);
    assert.deepEqual(await page.locator('.thumbnail').evaluateAll((shown) => shown.map(({ src }) => new URL(src).pathname)), ['/one.svg', '/gone.svg']);
    assert.deepEqual(pictures.asked.map(([, referer]) => referer), pictures.asked.map(() => undefined), 'nobody hears who looks');
    await page.locator('.thumbnail.gone').waitFor();
    await assertAccessible(page, 'a list with titles');
    await page.getByRole('searchbox').fill('RAMEN');
    assert.deepEqual(await page.locator('li:visible .id').allInnerTexts(), [TITLES['v-2']], 'found by its title');
    await page.getByRole('searchbox').fill('v-2');
    assert.deepEqual(await page.locator('li:visible .id').allInnerTexts(), [TITLES['v-2']], 'and by its id');
  }, { tolerate: [/404/] }));

test('each order is another list', () =>
  withDashboard('/', async (page) => {
    await page.getByRole('link', { name: /^v-3/ }).waitFor();
    const orders = page.getByRole('group', { name: 'Order' });
    for (const [name, by, heading, order] of [
      ['Views', 'views', 'Most viewed', ['v-3', 'v-1', 'v-2']],
      ['Viewers', 'viewers', 'Most viewers', ['v-2', 'v-1', 'v-3']],
      ['Watch time', null, 'Most watched', ['v-1', 'v-2', 'v-3']],
      ['Trending', 'trending', 'Trending', null],
    ]) {
      await orders.getByRole('link', { name, exact: true }).click();
      await page.getByRole('heading', { level: 1, name: heading }).waitFor();
      await settled(page);
      assert.equal(page.url().slice(heatstrip.url.length), by ? `/?by=${by}` : '/');
      if (order) assert.deepEqual(await ids(page), order.map((id) => TITLES[id] ?? id), name);
      await assertAccessible(page, `ordered by ${name}`);
    }
    // Three of each came a day ago and the others now: of the seven of one video too few are new.
    assert.deepEqual((await ids(page)).sort(), [TITLES['v-1'], 'v-3'].sort());
    const first = page.locator('.videos .row').first();
    assert.match((await first.locator('.figure.leads').innerText()), /^\d/);
    const recents = await page.locator('.videos .figure.leads b').allInnerTexts();
    assert.ok(recents.every((text) => Number(text) >= 5), recents.join());
    await page.goBack();
    await page.getByRole('heading', { level: 1, name: 'Most watched' }).waitFor();
  }, { tolerate: [/404/] }));

test('a video leads with its views, and says of whom', () =>
  withDashboard('/?video=v-1', async (page) => {
    await page.locator('heat-strip .bar').first().waitFor();
    await page.locator('.numbers.lead').waitFor();
    await page.getByRole('heading', { level: 1, name: TITLES['v-1'], exact: true }).waitFor();
    assert.equal(await page.title(), `${TITLES['v-1']} · heatstrip`);
    assert.equal(await page.locator('.head .under').innerText(), 'v-1 · Counting · published 1 Nov 2026');
    assert.equal(await page.locator('.head .thumbnail').count(), 1);
    const [views, recent, lifetime] = await lead(page);
    assert.deepEqual(views.slice(0, 2), ['views', '12']);
    assert.match(views[2], /exact; after 10 s, once in 30 min a viewer/);
    assert.deepEqual(recent.slice(0, 2), ['recent viewers', '12']);
    assert.match(recent[2], /^exact/);
    assert.match(lifetime[0], /^lifetime viewer/);
    assert.equal(lifetime[1], '12');
    assert.match(lifetime[2], /exact; viewer/);
    const terms = await page.locator('.answer .numbers dt').allInnerTexts();
    assert.equal(terms[0], 'watch time');
    assert.equal(terms.at(-1), 'viewer-days', 'over several days it is not people that are counted');
    await assertAccessible(page, 'a video with views');
    // A strip narrowed to a region does not change what the video is.
    await page.getByRole('group', { name: /^Regions/ }).getByRole('link', { name: /^US/ }).click();
    await settled(page);
    assert.deepEqual((await lead(page))[0].slice(0, 2), ['views', '12']);
  }));

test('the days come in one answer, with the period before', () =>
  withDashboard('/?video=v-2', async (page) => {
    await page.locator('.series .curve canvas').nth(1).waitFor();
    await settled(page);
    const questions = [];
    page.on('request', (request) => /\/(days|heatmap)\?/.test(request.url()) && questions.push(new URL(request.url())));
    await page.reload();
    await page.locator('.series .curve canvas').nth(1).waitFor();
    await settled(page);
    const days = questions.filter(({ pathname }) => pathname.endsWith('/days'));
    assert.equal(days.length, 1);
    const [from, to] = ['from', 'to'].map((name) => Date.parse(days[0].searchParams.get(name)));
    assert.equal((to - from) / DAY_MS + 1, 56, 'the last 28 days and the 28 before');
    assert.equal(questions.length, 2, 'and the strip');
    const section = page.getByRole('region', { name: '28 days, and the 28 before' });
    const compared = await section.locator('.compared > div').allInnerTexts();
    assert.match(compared[0], /^views\s+7\s+nothing before/);
    assert.match(compared[1], /^watch time\s+5\d min/);
    assert.match(compared[2], /^viewers a day\s+2/, '51 and 5 viewers over 28 days');
    assert.match(await section.getByRole('img', { name: /^viewers by day: at most 51, on / }).getAttribute('aria-label'), /51/);
    await assertAccessible(page, 'days');
    await page.getByRole('link', { name: '7 days' }).click();
    await page.getByRole('heading', { name: '7 days, and the 7 before' }).waitFor();
    await page.getByRole('link', { name: 'Today' }).click();
    await page.waitForFunction(() => !document.querySelector('.series'));
  }));

test('where nothing is trending it says why', () =>
  withDashboard('/?by=trending&region=KR', async (page) => {
    await page.getByRole('heading', { name: 'Nothing is trending' }).waitFor();
    await assertAccessible(page, 'no trends');
    await page.getByRole('link', { name: 'Show the most watched' }).click();
    await page.getByRole('heading', { level: 1, name: 'Most watched' }).waitFor();
  }));

test('without catalogue and views there are ids and strips still', () =>
  withDashboard('/?video=v-1', async (page) => {
    await page.route(/\/v1\/(catalogue|videos\/v-1\/(views|days))/, (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"title":"Service Unavailable","detail":"away","status":503}' }));
    await page.reload();
    await page.locator('heat-strip .bar').first().waitFor();
    await page.getByRole('heading', { level: 1, name: 'v-1', exact: true }).waitFor();
    assert.equal(await page.locator('.numbers.lead').count(), 0);
    await page.getByRole('alert').getByText('The days cannot be shown').waitFor();
    await assertAccessible(page, 'a video without its views');
  }, { tolerate: [/503/] }));
