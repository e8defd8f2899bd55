// The dashboard, clicked through as people use it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, test } from 'node:test';
import { promisify } from 'node:util';

import { assertAccessible } from './support/axe.js';
import { startBrowser, withPage } from './support/browser.js';
import { startHeatstrip } from './support/heatstrip.js';

const [browser, heatstrip] = await Promise.all([startBrowser(), startHeatstrip()]);
after(() => Promise.all([browser.close(), heatstrip.stop()]));

const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  'a/b/../c?d=e#f%2F&g',
  '"quoted" \'id\' </script>',
  '日本語の動画 🎬🔥',
  'עברית وعربي',
  '\u202Egnp.exe',
  'x'.repeat(128),
];
const DAY_MS = 86_400_000;

/** Opens a page of the dashboard and hands it over once its answer is there. */
function withDashboard(path, use, { tolerate, context, clock = false } = {}) {
  return withPage(browser, { origins: [heatstrip.url], tolerate, context }, async (page) => {
    if (clock) await page.clock.install();
    page.on('dialog', (dialog) => assert.fail(`a dialog: ${dialog.message()}`));
    await page.goto(heatstrip.url + path);
    await use(page);
  });
}

const title = (page, name) => page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
const strip = (page) => page.locator('heat-strip .bar').first().waitFor();
const settled = (page) => page.locator('main[aria-busy=false]').waitFor();
/** The strip's own numbers. */
const numbers = async (page) => Object.fromEntries(await page.locator('.answer .numbers > div').evaluateAll((groups) =>
  groups.map((group) => [group.children[0].textContent, group.children[1].textContent])));
/** Waits until one of them is so. */
const reads = (page, name, value) => page.waitForFunction(([name, value]) => [...document.querySelectorAll('.answer .numbers > div')]
  .some(({ children: [term, number] }) => term.textContent === name && number.textContent === value), [name, value]);
/** Where one is, without the origin. */
const place = (page) => page.url().slice(heatstrip.url.length);
const follow = async (page, link, address) => {
  await link.click();
  await page.waitForFunction((href) => location.href === href, heatstrip.url + address);
  await settled(page);
};
const chosen = (page) => page.locator('[aria-current=true]').allInnerTexts();
const asProblem = (status, detail) => ({
  status, contentType: 'application/problem+json', body: JSON.stringify({ type: 'about:blank', title: 'Service Unavailable', status, detail }),
});

test('with nothing to show it says how to begin, and shows what comes by itself', () =>
  withDashboard('/', async (page) => {
    await page.getByRole('heading', { name: 'No heartbeats yet' }).waitFor();
    await assertAccessible(page, 'nothing yet');
    const curl = await page.getByRole('region', { name: 'From a terminal' }).innerText();
    assert.match(await page.getByRole('region', { name: 'In a page with a video' }).innerText(), /heatstrip\(document\.querySelector\("video"\)/);
    const { stdout } = await promisify(execFile)('bash', ['-c', curl]);
    assert.deepEqual(JSON.parse(stdout), { accepted: 1, rejected: [] });
    await heatstrip.settledStrip('my-first-video');
    await page.clock.fastForward(11_000);
    await page.getByRole('link', { name: /^my-first-video/ }).waitFor();
    await assertAccessible(page, 'one video');
  }, { clock: true }));

test('what people will look at is there', async () => {
  const yesterday = new Date(Date.now() - DAY_MS).toISOString();
  const beats = [];
  for (let viewer = 0; viewer < 60; viewer++) {
    const beat = { video_id: 'cat-piano', viewer_id: `v${viewer}`, region: ['US', 'JP', 'DE'][viewer % 3] };
    beats.push({ ...beat, start_sec: 0, end_sec: viewer < 20 ? 9 : 99 });
    if (viewer >= 20) beats.push({ ...beat, start_sec: 60, end_sec: 79 });
    if (viewer < 30) beats.push({ ...beat, at: yesterday, start_sec: 0, end_sec: 49 });
  }
  for (const video_id of HOSTILE) beats.push({ video_id, viewer_id: 'one', start_sec: 0, end_sec: 9 }, { video_id, viewer_id: 'two', start_sec: 0, end_sec: 4 });
  await heatstrip.send(beats);
  await heatstrip.settledStrip('cat-piano');
  for (const id of HOSTILE) await heatstrip.settledStrip(id);
});

test('from the list to a video, a region, days, a resolution, and back', () =>
  withDashboard('/', async (page) => {
    const row = page.getByRole('link', { name: /^cat-piano/ });
    await row.locator('.spark').waitFor();
    assert.match(await row.innerText(), /cat-piano\s+\d+ h \d+ min[^]*\s91/, 'people over several days do not lead');
    assert.match(await page.locator('.facts').innerText(), /9 videos · .* watched · .* · everywhere/);
    assert.match(await page.locator('.card .remark').innerText(), /viewer-days: a person who came on two days counts twice\. Exact/);

    await follow(page, row, '/?video=cat-piano');
    await title(page, 'cat-piano');
    await strip(page);
    assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1', 'a new page is read from its top');
    assert.equal((await numbers(page))['viewer-days'], '91');
    assert.match((await numbers(page))['most replayed'], /^2\.00×$/);

    const regions = page.getByRole('group', { name: /^Regions/ });
    assert.deepEqual((await regions.getByRole('link').allInnerTexts()).map((text) => text.replace(/\s+/g, ' ')),
      ['Everywhere', 'DE 30', 'JP 30', 'US 30', 'MARKER 1']);
    await follow(page, regions.getByRole('link', { name: /^JP/ }), '/?video=cat-piano&region=JP');
    assert.equal((await numbers(page))['viewer-days'], '30');
    await follow(page, regions.getByRole('link', { name: /^US/ }), '/?video=cat-piano&region=JP%2CUS');
    assert.equal((await numbers(page))['viewer-days'], '60', 'their union');
    assert.equal(await page.evaluate(() => document.activeElement.dataset.key), 'region-US', 'the focus stays');

    await follow(page, page.getByRole('link', { name: 'Today' }), '/?video=cat-piano&days=1&region=JP%2CUS');
    assert.equal((await numbers(page)).viewers, '40');
    await follow(page, page.getByRole('link', { name: '10 s' }), '/?video=cat-piano&days=1&region=JP%2CUS&resolution=10');
    assert.equal(await page.getByRole('slider').getAttribute('aria-valuemax'), '90');
    assert.deepEqual(await chosen(page), ['Today', '10 s', 'JP\n30', 'US\n30'].map((text) => text.replace('30', '20')));

    await page.reload();
    await strip(page);
    assert.equal((await numbers(page)).viewers, '40', 'the address says it all');
    for (const before of ['/?video=cat-piano&days=1&region=JP%2CUS', '/?video=cat-piano&region=JP%2CUS', '/?video=cat-piano&region=JP', '/?video=cat-piano']) {
      await page.goBack();
      await settled(page);
      assert.equal(place(page), before);
    }
    await reads(page, 'viewer-days', '91');
    await page.goBack();
    await title(page, 'Most watched');
    await page.goForward();
    await title(page, 'cat-piano');
    await page.getByRole('link', { name: 'All videos' }).click();
    await title(page, 'Most watched');
    assert.equal(place(page), '/');
  }));

test('a video says what happens in it, and each moment shows where', () =>
  withDashboard('/?video=cat-piano', async (page) => {
    await strip(page);
    const moment = page.getByRole('button', { name: /^Re-watched 1:00–1:20/ });
    assert.match(await moment.innerText(), /up to 2\.00× per viewer/);
    await page.getByRole('button', { name: /are still there at 0:30/ }).waitFor();
    await moment.focus();
    const tooltip = page.locator('heat-strip [part=tooltip]');
    assert.match(await tooltip.innerText(), /1:00–1:05/);
    await page.waitForFunction(() => /^At\s*1:00/.test(document.querySelector('.curves .curve .u-legend').textContent));
    assert.equal(await page.locator('.curves .curve canvas').count(), 2);
    assert.equal(await page.locator('.day').count(), 0, 'many questions, asked when somebody wants to see them');
    await page.getByText('The strip of each day').click();
    await page.locator('.day').first().waitFor();
    assert.deepEqual((await page.locator('.day .count').allInnerTexts()), ['30 viewers', '61 viewers']);
    await assertAccessible(page, 'a video');
    for (const [name, type, has] of [['JSON', 'application/json', '"viewers":91'], ['CSV', 'text/csv', 'viewers'], ['SVG', 'image/svg+xml', 'cat-piano']]) {
      const answer = await fetch(await page.getByRole('link', { name, exact: true }).evaluate((link) => link.href));
      assert.ok(answer.headers.get('content-type').startsWith(type), name);
      assert.ok((await answer.text()).includes(has), name);
    }
    await page.getByRole('link', { name: /^\w+,? \d+ \w+ .*30 viewers/ }).click();
    await reads(page, 'viewers', '30');
    assert.equal(Object.keys(await numbers(page))[0], 'viewers', 'people lead: that day alone');
  }));

test('what was counted on a video stands beside its strip', async () => {
  const body = ['ann', 'bob'].map((member_id) => ({ member_id, object_type: 'video', object_id: 'cat-piano', kind: 'like' }));
  await withDashboard('/?video=cat-piano', async (page) => {
    await strip(page);
    await settled(page);
    assert.equal(await page.getByRole('region', { name: 'Counters' }).count(), 0, 'nothing was counted yet');
    const answer = await fetch(`${heatstrip.url}/v1/counts`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    assert.equal(answer.status, 200);
    await page.clock.fastForward(11_000);
    const card = page.getByRole('region', { name: 'Counters' });
    await card.waitFor();
    assert.deepEqual((await card.locator('dl').innerText()).split(/\s+/), ['like', '2']);
    await assertAccessible(page, 'a video with counters');
  }, { clock: true });
});

test('regions beyond the first are folded away, the chosen ones stay in sight', async () => {
  const regions = Array.from({ length: 24 }, (_, n) => `R${n + 10}`);
  await heatstrip.send(regions.flatMap((region, n) => Array.from({ length: 30 - n }, (_, viewer) =>
    ({ video_id: 'everywhere', viewer_id: `${region} ${viewer}`, region, start_sec: 0, end_sec: 9 }))));
  await heatstrip.settledStrip('everywhere');
  await withDashboard('/?video=everywhere&region=R33', async (page) => {
    await strip(page);
    const chips = page.getByRole('group', { name: /^Regions/ });
    const shown = async () => (await chips.getByRole('link').allInnerTexts()).map((text) => text.split(/\s/)[0]);
    assert.deepEqual(await shown(), ['Everywhere', ...regions.slice(0, 16), 'R33']);
    await chips.getByText('8 more').click();
    assert.equal((await shown()).length, 26, 'the marker\'s region too');
    await assertAccessible(page, 'all regions');
  });
});

test('a range of one\'s own', () =>
  withDashboard('/?video=cat-piano', async (page) => {
    await strip(page);
    const day = new Date(Date.now() - DAY_MS).toISOString().slice(0, 10);
    await page.getByText('Custom').click();
    await page.getByLabel('From').fill(day);
    await page.getByLabel('To', { exact: true }).fill(day);
    await assertAccessible(page, 'choosing days');
    await page.getByRole('button', { name: 'Show' }).click();
    await reads(page, 'viewers', '30');
    assert.equal(place(page), `/?video=cat-piano&from=${day}&to=${day}`);
    assert.equal(await page.locator('.own summary').innerText(), `${day} to ${day}`);
  }));

test('finding and opening a video by its id', () =>
  withDashboard('/', async (page) => {
    await page.getByRole('link', { name: /^cat-piano/ }).waitFor();
    const search = page.getByRole('searchbox');
    await search.fill('PIANO');
    assert.deepEqual(await page.locator('li:visible .id').allInnerTexts(), ['cat-piano']);
    await search.fill('unheard of?');
    await page.getByText('None of these. Press Enter to open this id.').waitFor();
    await search.press('Enter');
    await title(page, 'unheard of?');
    await page.getByRole('heading', { name: 'Nobody watched this here' }).waitFor();
    await assertAccessible(page, 'a video nobody watched');
  }));

test('a region nobody watched in, and the way out', () =>
  withDashboard('/', async (page) => {
    await page.getByLabel('Region').fill('kr, zz-1');
    await page.getByLabel('Region').press('Enter');
    await page.getByRole('heading', { name: 'Nobody watched anything here' }).waitFor();
    assert.equal(place(page), '/?region=KR%2CZZ-1');
    await assertAccessible(page, 'an empty list');
    await page.getByRole('link', { name: 'Show the last 28 days, everywhere' }).click();
    await page.getByRole('link', { name: /^cat-piano/ }).waitFor();
  }));

test('an id is text wherever it stands', () =>
  withDashboard('/', async (page) => {
    for (const id of HOSTILE) {
      await page.getByRole('searchbox').fill(id);
      const row = page.locator('li[data-video]:visible a');
      await row.waitFor();
      assert.equal(await row.locator('.id').evaluate((shown) => shown.textContent), id);
      await row.click();
      await strip(page);
      assert.equal(await page.getByRole('heading', { level: 1 }).evaluate((heading) => heading.textContent), id);
      assert.equal(new URL(page.url()).searchParams.get('video'), id);
      const json = await page.getByRole('link', { name: 'JSON', exact: true }).evaluate((link) => link.href);
      assert.equal((await (await fetch(json)).json()).video_id, id);
      // The tag to copy names this very video when a browser reads it.
      const tag = await page.locator('.snippet code').textContent();
      const named = await page.evaluate((html) => new DOMParser().parseFromString(html, 'text/html').querySelector('heat-strip').getAttribute('video'), tag);
      assert.equal(named, id);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
      assert.equal(wide, false, 'nothing reaches out of the page');
      await page.getByRole('link', { name: 'All videos' }).click();
    }
  }, { context: { viewport: { width: 390, height: 844 } } }));

for (const [path, api, answer] of [['/', '**/v1/videos?*', '.videos'], ['/?video=cat-piano', '**/heatmap?*', 'heat-strip .bar']]) {
  test(`${path} while it loads, when it fails, and after another try`, () =>
    withPage(browser, { origins: [heatstrip.url], tolerate: [/503/] }, async (page) => {
      let handle;
      const asked = new Promise((resolve) => (handle = resolve));
      await page.route(api, (route) => handle(route));
      await page.goto(heatstrip.url + path);
      await page.getByRole('status', { name: 'Loading' }).waitFor();
      const request = await asked;
      await assertAccessible(page, 'loading');
      handle = (route) => route.fulfill(asProblem(503, 'the database is <i>away</i>'));
      handle(request);
      await page.getByRole('alert').getByText('the database is <i>away</i>').waitFor();
      await assertAccessible(page, 'an error');
      handle = (route) => route.continue();
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.locator(answer).first().waitFor();
      assert.equal(await page.getByRole('alert').count(), 0);
    }));
}

test('what stands beside the strip never holds it up', () =>
  withPage(browser, { origins: [heatstrip.url] }, async (page) => {
    // Regions, catalogue, views and counters stay without an answer.
    await page.route(/\/v1\/(catalogue|counts|videos\/cat-piano\/(regions|views))/, () => {});
    await page.goto(`${heatstrip.url}/?video=cat-piano`);
    await strip(page);
    await settled(page);
    assert.equal((await numbers(page))['viewer-days'], '91');
    assert.equal(await page.getByRole('group', { name: /^Regions/ }).getByRole('link').count(), 1, 'everywhere alone');
    // Another question is not held up by those that still wait.
    await page.getByRole('link', { name: '10 s' }).click();
    await page.waitForFunction(() => location.search.includes('resolution=10'));
    await settled(page);
    await strip(page);
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  }));

test('a server that goes away takes nothing from the page', () =>
  withDashboard('/?video=cat-piano', async (page) => {
    await strip(page);
    await settled(page);
    await page.route('**/v1/**', (route) => route.abort());
    await page.clock.fastForward(11_000);
    await page.getByText('The server cannot be reached; trying again').waitFor();
    assert.equal((await numbers(page))['viewer-days'], '91');
    await page.unroute('**/v1/**');
    await page.clock.fastForward(11_000);
    await page.getByText(/^as of /).waitFor();
  }, { clock: true, tolerate: [/ERR_FAILED/] }));

test('an answer that changed leaves focus and pointer where they are', () =>
  withDashboard('/?video=cat-piano', async (page) => {
    await strip(page);
    await settled(page);
    await page.getByRole('slider').focus();
    await page.keyboard.press('End');
    const said = page.locator('heat-strip [part=tooltip]');
    const before = await said.innerText();
    await heatstrip.send({ video_id: 'cat-piano', viewer_id: 'late', region: 'US', start_sec: 95, end_sec: 99 });
    await heatstrip.settledStrip('cat-piano');
    await page.clock.fastForward(11_000);
    await reads(page, 'viewer-days', '92');
    assert.notEqual(await said.innerText(), before);
    assert.equal(await page.getByRole('slider').evaluate((slider) => slider === slider.getRootNode().activeElement), true);
  }, { clock: true }));

test('keys alone are enough', () =>
  withDashboard('/', async (page) => {
    const row = page.getByRole('link', { name: /^cat-piano/ });
    await row.waitFor();
    await settled(page);
    await page.locator('.videos').evaluate((list) => (list.dataset.same = 'yes'));
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'main', 'past what stands on every page');
    assert.equal(await page.locator('.videos[data-same]').count(), 1, 'nothing is asked for that');
    await row.focus();
    await page.keyboard.press('Enter');
    await title(page, 'cat-piano');
    await page.getByText('Custom').focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.name), 'from');
    await page.keyboard.press('Escape');
    assert.equal(await page.getByLabel('From').isVisible(), false);
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Custom');
  }));

test('nobody looks, nothing is asked; and what did not change is not sent again', () =>
  withDashboard('/', async (page) => {
    await page.getByRole('link', { name: /^cat-piano/ }).waitFor();
    await settled(page);
    const asked = [];
    page.on('request', (request) => request.url().includes('/v1/videos?') && asked.push(request));
    const hide = (hidden) => page.evaluate((hidden) => {
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
    await hide(true);
    await page.clock.fastForward(60_000);
    assert.equal(asked.length, 0);
    const again = page.waitForRequest((request) => request.url().includes('/v1/videos?'));
    await page.locator('.videos').evaluate((list) => (list.dataset.same = 'yes'));
    await hide(false);
    assert.match((await (await again).allHeaders())['if-none-match'] ?? '', /^W\/"/);
    await settled(page);
    assert.equal(await page.locator('.videos[data-same]').count(), 1, 'an unchanged list is left alone');
  }, { clock: true }));

test('small and large, no page is wider than its window', () =>
  withDashboard('/', async (page) => {
    const wide = async (what) => {
      for (const width of [320, 390, 768, 1280]) {
        await page.setViewportSize({ width, height: 844 });
        // The curves follow a frame later.
        await page.waitForFunction(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth, undefined, { timeout: 5000 })
          .catch(() => assert.fail(`${what} at ${width}`));
      }
    };
    await page.getByRole('link', { name: /^cat-piano/ }).waitFor();
    await wide('the list');
    await page.getByRole('link', { name: /^cat-piano/ }).click();
    await strip(page);
    await page.locator('.curves .curve canvas').first().waitFor();
    await page.locator('.series .curve canvas').first().waitFor();
    await page.getByText('The strip of each day').click();
    await page.locator('.day').first().waitFor();
    await wide('a video');
  }));
