// `<heat-strip>` on pages of another origin, as other people's pages are.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { assertAccessible } from './support/axe.js';
import { startBrowser, withPage } from './support/browser.js';
import { serveFiles } from './support/files.js';
import { startHeatstrip } from './support/heatstrip.js';
import { MEDIA, webm } from './support/media.js';

const WEB = fileURLToPath(new URL('../../web/', import.meta.url));

const [browser, heatstrip, site, film] = await Promise.all([
  startBrowser(),
  startHeatstrip(),
  serveFiles({ '/media/': MEDIA, '/assets/': `${WEB}built/` }),
  webm(),
]);
after(() => Promise.all([browser.close(), heatstrip.stop(), site.stop()]));

// 30 seconds: all watch the first ten, half go on, and those watch 20 to 24 twice.
const viewers = Array.from({ length: 40 }, (_, n) => `viewer ${n}`);
await heatstrip.send(viewers.flatMap((viewer_id, n) => {
  const beat = { video_id: 'my-video', viewer_id, region: n % 4 ? 'JP' : 'US' };
  if (n % 2) return [{ ...beat, start_sec: 0, end_sec: 9 }];
  return [{ ...beat, start_sec: 0, end_sec: 29 }, { ...beat, start_sec: 20, end_sec: 24 }];
}));
await heatstrip.settledStrip('my-video');

const SCRIPT = `<script type="module" src="${heatstrip.url}/heat-strip.js"></script>`;
const ORIGINS = [site.origin, heatstrip.url];
const HEATMAP = '**/v1/videos/*/heatmap*';

/** Opens a page with this in its body and waits until its strip is drawn. */
function withStrip(html, use, { tolerate, context, head = '', drawn = true } = {}) {
  return withPage(browser, { origins: ORIGINS, tolerate, context }, async (page) => {
    await page.goto(site.page(`<!doctype html><html lang="en"><title>A page</title>${head}<main><h1>A page</h1>${html}</main></html>`));
    if (drawn) await page.locator('heat-strip .bar').first().waitFor();
    await use(page);
  });
}

const slider = (page) => page.getByRole('slider');
const tooltip = (page) => page.locator('heat-strip').locator('[part=tooltip]');
/** The tooltip as `{name: value}`; empty where there is none. */
const facts = (page) => tooltip(page).evaluate((list) => list.hidden ? {} : Object.fromEntries(
  [...list.querySelectorAll('dt')].map((name) => [name.textContent, name.nextSibling.textContent])));
/** Waits until a condition holds in the page. */
const until = (page, condition, argument) => page.waitForFunction(condition, argument);

test('every example of the documentation works', async () => {
  const text = await readFile(new URL('../../docs/component.md', import.meta.url), 'utf8');
  const examples = [...text.matchAll(/```html\n(.*?)```/gs)].map(([, html]) => html).filter((html) => html.includes('<heat-strip'));
  assert.ok(examples.length >= 7);
  for (const example of examples) {
    const html = example.replaceAll('https://heatstrip.example', heatstrip.url).replace('http://127.0.0.1:8080', heatstrip.url)
      .replace(/"(\/film\.webm|film\.mp4)"/, `"/media/${film}"`).replace('cat-piano', 'my-video')
      .replace(/ from="[^"]*" to="[^"]*"/, '').replace('JP,KR', 'JP,US');
    await withStrip(html, async (page) => {
      await page.locator('heat-strip').click();
      assert.equal(await slider(page).count(), 1, example);
      const chosen = page.locator('#chosen');
      if (await chosen.count()) assert.equal(await chosen.textContent(), '10 s');
      const player = page.locator('#player');
      if (await player.count()) await until(page, () => document.querySelector('#player').currentTime === 15);
    });
  }
});

test('hovering shows the numbers of the moment', () =>
  withStrip(`${SCRIPT}<heat-strip video="my-video" style="width:600px"></heat-strip>`, async (page) => {
    assert.deepEqual(await facts(page), {});
    const box = await page.locator('heat-strip').boundingBox();
    await page.mouse.move(box.x + box.width * (22 / 30), box.y + 60);
    assert.deepEqual(await facts(page), { time: '0:20–0:25', viewers: '20', retention: '48.8 %', replay: '2.00×' });
    await page.mouse.move(box.x + 1, box.y + 60);
    assert.equal((await facts(page)).viewers, '41', 'and the marker');
    const shown = await tooltip(page).boundingBox();
    await page.mouse.move(box.x + box.width - 1, box.y + 60);
    const atTheEnd = await tooltip(page).boundingBox();
    assert.ok(atTheEnd.x > shown.x && atTheEnd.x + atTheEnd.width <= box.x + box.width, 'it stays inside');
    await page.mouse.move(box.x + 10, box.y + box.height + 50);
    assert.deepEqual(await facts(page), {});
  }));

test('keys move, say where one is, and seek a real video', () =>
  withStrip(`<button>before</button><video id="player" src="/media/${film}" muted></video>${SCRIPT}<heat-strip video="my-video" for="player"></heat-strip>`, async (page) => {
    await page.getByRole('button').focus();
    await page.keyboard.press('Tab');
    const now = async (key) => {
      await page.keyboard.press(key);
      return slider(page).getAttribute('aria-valuetext');
    };
    assert.match(await now('ArrowRight'), /^time 0:00–0:05, viewers 41, retention 100.0 %, replay /);
    assert.match(await now('ArrowRight'), /^time 0:05/);
    assert.match(await now('End'), /^time 0:25/);
    assert.match(await now('ArrowRight'), /^time 0:25/, 'there is no more');
    assert.match(await now('ArrowLeft'), /^time 0:20–0:25, viewers 20/);
    assert.match(await now('Home'), /^time 0:00/);
    assert.match(await now('PageUp'), /^time 0:05/);
    assert.equal(await slider(page).getAttribute('aria-valuenow'), '5');
    await now('ArrowUp');
    await page.keyboard.press('Enter');
    await until(page, () => document.querySelector('video').currentTime === 10);
    await until(page, () => document.querySelector('heat-strip').shadowRoot.querySelector('.playhead').getAttribute('visibility') === 'visible');
    await page.keyboard.press('Escape');
    assert.deepEqual(await facts(page), {});
    assert.match(await now('ArrowDown'), /^time 0:10/, 'from where the video is');
  }));

test('under a player both have one scale, and nothing is drawn behind the end', () =>
  withStrip(`<div id="player"></div>${SCRIPT}<heat-strip video="my-video" for="player" style="width:600px"></heat-strip>`, async (page) => {
    const edges = () => page.locator('heat-strip').evaluate((strip) => {
      const { left } = strip.getBoundingClientRect();
      const all = [...strip.shadowRoot.querySelectorAll('.bar, .replay, .pointer')].map((bar) => bar.getBoundingClientRect());
      return { first: Math.round(all[0].right - left), last: Math.round(Math.max(...all.map(({ right }) => right)) - left) };
    });
    const lasts = (duration) => page.evaluate((duration) => {
      const player = document.querySelector('#player');
      Object.assign(player, { duration, currentTime: 0 });
      // An element that was no player yet is looked for with the next answer.
      document.querySelector('heat-strip').setAttribute('for', 'player');
      player.dispatchEvent(new Event('durationchange'));
    }, duration);
    assert.deepEqual(await edges(), { first: 99, last: 599 }, 'six buckets, no player yet');
    await lasts(60);
    assert.deepEqual(await edges(), { first: 49, last: 299 });
    const box = await page.locator('heat-strip').boundingBox();
    await page.mouse.click(box.x + 125, box.y + 60);
    assert.equal(await page.evaluate(() => document.querySelector('#player').currentTime), 10);
    // It ends within the sixth bucket.
    await lasts(27.5);
    await slider(page).press('End');
    assert.deepEqual(await edges(), { first: 108, last: 600 });
    assert.equal((await facts(page)).time, '0:25–0:30');
    // And before the last ones, as another cut of it would.
    await lasts(12.5);
    assert.deepEqual(await edges(), { first: 239, last: 600 });
    await lasts(NaN);
    assert.deepEqual(await edges(), { first: 99, last: 600 }, 'a stream without an end');
  }));

test('what the browser holds is not asked for again', async () => {
  const cached = await startHeatstrip({ environment: { HEATSTRIP_CACHE_TTL_SECS: '300' } });
  try {
    await cached.send({ video_id: 'v', viewer_id: 'a', start_sec: 0, end_sec: 9 });
    const asked = async () => {
      const metrics = await (await fetch(`${cached.url}/metrics`)).text();
      const line = metrics.split('\n').filter((line) => line.startsWith('heatstrip_http_requests_total{route="/v1/videos/{video_id}/heatmap"'));
      return line.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    };
    // An answer without buckets is kept for seconds only: this waits until there are some.
    const strip = async () => (await cached.strip('v', { resolution: '5' })).buckets.length;
    for (const late = Date.now() + 60_000; !(await strip()); ) assert.ok(Date.now() < late);
    const before = await asked();
    const html = `<script type="module" src="${cached.url}/heat-strip.js"></script><heat-strip video="v"></heat-strip>`;
    await withPage(browser, { origins: [site.origin, cached.url] }, async (page) => {
      for (const url of [site.page(html), site.page(html)]) {
        await page.goto(url);
        await page.locator('heat-strip .bar').first().waitFor();
      }
      assert.equal(await asked(), before + 1);
      await page.locator('heat-strip').evaluate((strip) => strip.reload());
      assert.equal(await asked(), before + 2, 'unless somebody wants it anew');
    });
  } finally {
    await cached.stop();
  }
});

test('an endpoint that is no address is an error in its place', () =>
  withStrip(`${SCRIPT}<heat-strip endpoint="http://[" video="my-video"></heat-strip>`, async (page) => {
    const status = page.getByRole('status');
    await status.getByText('The strip cannot be shown: endpoint is no address: http://[').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Try again' }).count(), 1);
    await page.locator('heat-strip').evaluate((strip, url) => strip.setAttribute('endpoint', url), heatstrip.url);
    await page.locator('heat-strip .bar').first().waitFor();
  }, { drawn: false }));

test('a page may keep its video where it is', () =>
  withStrip(`<video id="player" src="/media/${film}"></video>${SCRIPT}<heat-strip video="my-video" for="player"></heat-strip>`, async (page) => {
    await page.evaluate(() => document.addEventListener('heat-strip-seek', (event) => {
      event.preventDefault();
      document.title = `asked for ${event.detail.seconds}`;
    }));
    await page.locator('heat-strip').click();
    await until(page, () => document.title === 'asked for 15');
    assert.equal(await page.locator('video').evaluate((video) => video.currentTime), 0);
  }));

test('the most replayed part is marked, and a table says it all', () =>
  withStrip(`${SCRIPT}<heat-strip video="my-video"></heat-strip>`, async (page) => {
    assert.equal(await page.locator('heat-strip text.most').textContent(), 'most replayed 0:20 · 2.00×');
    assert.equal(await page.locator('heat-strip .replay').count(), 1);
    const rows = await page.getByRole('table').getByRole('row').allInnerTexts();
    assert.equal(rows.length, 7);
    assert.match(rows[5], /0:20–0:25\s+20\s+48.8 %\s+2.00×/);
  }));

test('attributes ask again, several at once one question', () =>
  withStrip(`${SCRIPT}<heat-strip video="my-video"></heat-strip>`, async (page) => {
    const asked = [];
    page.on('request', (request) => request.url().includes('/heatmap') && asked.push(new URL(request.url()).search));
    const loaded = page.evaluate(() => new Promise((resolve) =>
      document.addEventListener('heat-strip-load', (event) => resolve(event.detail), { once: true })));
    await page.locator('heat-strip').evaluate((strip) => {
      strip.setAttribute('region', 'US');
      strip.setAttribute('resolution', '1');
    });
    const strip = await loaded;
    assert.deepEqual(asked, ['?region=US&resolution=1']);
    assert.deepEqual([strip.regions, strip.viewers, strip.buckets.length], [['US'], 10, 30]);
    assert.equal(await slider(page).getAttribute('aria-valuemax'), '29');
  }));

test('a live strip asks again only while somebody looks', () =>
  withPage(browser, { origins: ORIGINS }, async (page) => {
    await page.clock.install();
    let asked = 0;
    await page.addInitScript(() => {
      window.loads = 0;
      document.addEventListener('heat-strip-load', () => window.loads++);
    });
    page.on('request', (request) => (asked += request.url().includes('/heatmap')));
    await page.goto(site.page(`${SCRIPT}<heat-strip video="my-video" live></heat-strip>`));
    await page.locator('heat-strip .bar').first().waitFor();
    const hide = (hidden) => page.evaluate((hidden) => {
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
    await hide(true);
    await page.clock.fastForward(20_000);
    assert.equal(asked, 1);
    await hide(false);
    await until(page, () => window.loads === 2);
    await page.clock.runFor(6_000);
    await until(page, () => window.loads === 3);
  }));

test('loading, errors, another try, and nothing to see', () =>
  withPage(browser, { origins: ORIGINS, tolerate: [/503/] }, async (page) => {
    const answer = new Promise((resolve) => page.route(HEATMAP, resolve));
    await page.goto(site.page(`<!doctype html><html lang="en"><title>A page</title><main><h1>A page</h1>${SCRIPT}<heat-strip video="my-video"></heat-strip></main></html>`));
    const status = page.getByRole('status');
    await status.getByText('Loading…').waitFor();
    await (await answer).fulfill({ status: 503, contentType: 'application/problem+json', headers: { 'access-control-allow-origin': '*' },
      body: JSON.stringify({ title: 'Service Unavailable', status: 503, detail: 'the database is <b>away</b>' }) });
    await status.getByText('The strip cannot be shown: the database is <b>away</b>').waitFor();
    await assertAccessible(page, 'an error');
    await page.unroute(HEATMAP);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('heat-strip .bar').first().waitFor();
    await assertAccessible(page, 'a strip');
    await page.locator('heat-strip').evaluate((strip) => strip.setAttribute('video', 'nobody/watched?this'));
    await status.getByText('Nobody has watched this yet.').waitFor();
    await page.locator('heat-strip').evaluate((strip) => strip.removeAttribute('video'));
    await status.getByText('No video is named.').waitFor();
  }));

test('a strict policy of the page is obeyed', () =>
  withStrip(`${SCRIPT}<heat-strip video="my-video"></heat-strip>`, async (page) => {
    await page.locator('heat-strip').hover();
    assert.equal((await facts(page)).time, '0:15–0:20');
    assert.notEqual(await page.locator('heat-strip .bar').first().evaluate((bar) => getComputedStyle(bar).fill), 'rgb(0, 0, 0)');
  }, { head: `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src ${heatstrip.url}; connect-src ${heatstrip.url}">` }));

test('data is shown without a question, given before or after the element is defined', () =>
  withStrip('<heat-strip></heat-strip>', async (page) => {
    const given = { video_id: '<b>v</b>', resolution: 10, scope: 'viewers', viewers: 3, peak: 3, relative_error: 0, exact: true, buckets: [
      { bucket: 0, viewers: 3, seconds_played: 30, replay: 1, retention: 1, reached: 3 },
    ] };
    await page.locator('heat-strip').evaluate((strip, given) => (strip.data = given), given);
    await page.addScriptTag({ type: 'module', url: `${heatstrip.url}/heat-strip.js` });
    await page.locator('heat-strip .bar').first().waitFor();
    assert.equal(await page.locator('heat-strip .bar').count(), 1);
    assert.equal(await slider(page).getAttribute('aria-label'), 'Viewers over the time of <b>v</b>');
    // Fourteen hours by five seconds.
    await page.locator('heat-strip').evaluate((strip) => {
      const [bucket] = strip.data.buckets;
      const buckets = Array.from({ length: 10_080 }, (_, n) => ({ ...bucket, bucket: n * 5, viewers: 10_080 - n, reached: 10_080 - n }));
      strip.data = { ...strip.data, resolution: 5, viewers: 10_080, peak: 10_080, buckets };
    });
    assert.ok((await page.locator('heat-strip .bar').count()) <= 700, 'no more bars than pixels have room for');
    await slider(page).press('End');
    assert.equal((await facts(page)).time, '13:59:55–14:00:00');
  }, { drawn: false }));

test('light, dark and colours of the page', async () => {
  const hottest = (page) => page.locator('heat-strip .bar').first().evaluate((bar) => getComputedStyle(bar).fill);
  const html = `<style>:root { color-scheme: light dark }</style>${SCRIPT}<heat-strip video="my-video"></heat-strip>`;
  const [light, dark] = await Promise.all(['light', 'dark'].map(async (colorScheme) => {
    let fill;
    await withStrip(html, async (page) => (fill = await hottest(page)), { context: { colorScheme } });
    return fill;
  }));
  assert.notEqual(light, dark);
  // A page that knows no dark stays light, whatever its viewer prefers.
  await withStrip(html.replace('light dark', 'normal'), async (page) => assert.equal(await hottest(page), light), { context: { colorScheme: 'dark' } });
  await withStrip(`<style>heat-strip { --heat-strip-4: rgb(1, 2, 3); height: 60px }</style>${html}`, async (page) => {
    assert.match(await hottest(page), /0\.0039\d* 0\.0078\d* 0\.0117\d*|rgb\(1, 2, 3\)|oklab\(0\.0/);
    assert.equal(await page.locator('heat-strip text').count(), 0, 'bars alone');
  });
});

test('it is drawn anew when its box changes', () =>
  withStrip(`${SCRIPT}<heat-strip video="my-video" style="width:600px"></heat-strip>`, async (page) => {
    await page.locator('heat-strip').evaluate((strip) => (strip.style.width = '300px'));
    await until(page, () => document.querySelector('heat-strip').shadowRoot.querySelector('svg').getAttribute('width') === '300');
  }));
