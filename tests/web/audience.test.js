// Questions about the audience, asked on the dashboard as people ask them.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { assertAccessible } from './support/axe.js';
import { startBrowser, withPage } from './support/browser.js';
import { startHeatstrip } from './support/heatstrip.js';

const [browser, heatstrip] = await Promise.all([startBrowser(), startHeatstrip()]);
after(() => Promise.all([browser.close(), heatstrip.stop()]));

const settled = (page) => page.locator('main[aria-busy=false]').waitFor();
const section = (page) => page.getByRole('region', { name: 'Who saw this, and missed that?' });
const answer = (page) => section(page).getByRole('status');

function withVideo(path, use) {
  return withPage(browser, { origins: [heatstrip.url] }, async (page) => {
    await page.goto(heatstrip.url + path);
    await page.locator('heat-strip .bar').first().waitFor();
    await settled(page);
    await use(page);
  });
}

/** Drags over a part of the strip, in parts of its width. */
async function drag(page, from, to) {
  await page.locator('heat-strip').scrollIntoViewIfNeeded();
  const box = await page.locator('heat-strip').boundingBox();
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * from, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * (from + to) / 2, y);
  await page.mouse.move(box.x + box.width * to, y);
  await page.mouse.up();
}

test('forty people watch a film of 200 seconds', async () => {
  const beats = [];
  for (let viewer = 0; viewer < 40; viewer++) {
    const beat = { video_id: 'film', viewer_id: `v${viewer}`, region: viewer % 2 ? 'JP' : 'KR' };
    beats.push({ ...beat, start_sec: 0, end_sec: 49 });
    // A quarter goes on, a quarter comes back for the ending, half have left for good.
    if (viewer < 10) beats.push({ ...beat, start_sec: 50, end_sec: 199 });
    else if (viewer < 20) beats.push({ ...beat, start_sec: 185, end_sec: 199 });
  }
  await heatstrip.send(beats);
  await heatstrip.settledStrip('film');
});

test('drag, saw this, drag, missed this: the answer with its bar', () =>
  withVideo('/?video=film&days=1', async (page) => {
    await drag(page, 0.01, 0.11);
    const [from, to] = [section(page).getByLabel('Begins at'), section(page).getByLabel('Ends at')];
    assert.deepEqual([await from.inputValue(), await to.inputValue()], ['0:00', '0:24']);
    assert.equal(await page.locator('.range-mark').isVisible(), true);
    await section(page).getByRole('button', { name: 'Saw this' }).click();
    await answer(page).getByText('41 of 41 viewers (100.0 %) saw 0:00–0:24.').waitFor();
    await drag(page, 0.76, 0.99);
    await section(page).getByRole('button', { name: 'Missed this' }).click();
    await answer(page).getByText('21 of 41 viewers (51.2 %) saw 0:00–0:24 and missed 2:30–3:19.').waitFor();
    await answer(page).getByText('Exact: everybody was counted.').waitFor();
    assert.match(await answer(page).getByRole('img').getAttribute('aria-label'), /^51\.2 %, between 51\.2 % and 51\.2 %$/);
    await assertAccessible(page, 'an answer about the audience');

    // Other regions are asked the same.
    await page.getByRole('group', { name: /^Regions/ }).getByRole('link', { name: /^JP/ }).click();
    await answer(page).getByText('10 of 20 viewers (50.0 %) saw 0:00–0:24 and missed 2:30–3:19.').waitFor();
    await section(page).getByRole('button', { name: /^missed/ }).click();
    await answer(page).getByText('20 of 20 viewers (100.0 %) saw 0:00–0:24.').waitFor();
    await section(page).getByRole('button', { name: /^saw/ }).click();
    await page.waitForFunction(() => document.querySelector('.audience-answer').childElementCount === 0);
  }));

test('those who left here: where did they come back?', () =>
  withVideo('/?video=film&days=1', async (page) => {
    await section(page).getByLabel('Begins at').fill('40');
    await section(page).getByLabel('Ends at').fill('0:49');
    await section(page).getByRole('button', { name: /^Left here/ }).click();
    await section(page).getByRole('heading', { name: /^Left at 0:40–0:49: 30\. They came back first at/ }).waitFor();
    const rows = await section(page).locator('.came-back li').evaluateAll((items) => items.map((item) => [item.firstChild.textContent, item.lastChild.textContent]));
    assert.equal(rows.length, 8);
    assert.deepEqual(rows.slice(-2), [['3:01–3:19', '10'], ['not any more', '20']]);
    assert.deepEqual(rows.slice(0, -2).map(([, count]) => count), ['0', '0', '0', '0', '0', '0']);
    await assertAccessible(page, 'where they came back');
  }));

test('a click still seeks, a key still works, and what is no range is said', () =>
  withVideo('/?video=film&days=1', async (page) => {
    await page.evaluate(() => {
      window.seeks = [];
      document.querySelector('heat-strip').addEventListener('heat-strip-seek', (event) => window.seeks.push(event.detail.seconds));
    });
    await drag(page, 0.2, 0.6);
    assert.deepEqual(await page.evaluate(() => window.seeks), [], 'a drag is no click');
    const box = await page.locator('heat-strip').boundingBox();
    await page.mouse.click(box.x + box.width * 0.5, box.y + 60);
    assert.deepEqual(await page.evaluate(() => window.seeks), [100]);
    await section(page).getByLabel('Begins at').fill('soon');
    await section(page).getByRole('button', { name: 'Saw this' }).click();
    await answer(page).getByText('Choose a part of the video first').waitFor();
    await section(page).getByLabel('Begins at').fill('1:00:00');
    await section(page).getByRole('button', { name: 'Saw this' }).press('Enter');
    await answer(page).getByText('Choose a part of the video first').waitFor();
  }));

test('an estimate comes with its interval, a refusal without numbers', () =>
  withPage(browser, { origins: [heatstrip.url] }, async (page) => {
    const told = { viewers: 1204, low: 1130, high: 1283, of: 3310, share: 0.3637, share_low: 0.3411, share_high: 0.3871, confidence: 0.95, exact: false, sampled: 1024, scope: 'viewers' };
    let body = told;
    await page.route('**/audience?*', (route) => route.fulfill({ json: body }));
    await page.goto(`${heatstrip.url}/?video=film&days=1`);
    await page.locator('heat-strip .bar').first().waitFor();
    await drag(page, 0.01, 0.11);
    await section(page).getByRole('button', { name: 'Saw this' }).click();
    await answer(page).getByText('An estimate from 1,024 sampled viewers: with 95 % confidence 1,130 to 1,283, 34.1 % to 38.7 %.').waitFor();
    body = { ...told, viewers: null, low: null, high: null, of: null, share: null, share_low: null, share_high: null, sampled: 12, refused: 'too few sampled viewers' };
    await section(page).getByRole('button', { name: 'Missed this' }).click();
    await answer(page).getByText('There is no answer: only 12 of the viewers are sampled').waitFor();
    assert.equal(await answer(page).getByRole('img').count(), 0);
  }));
