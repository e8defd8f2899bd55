// Every example in docs/players.md, as it stands there, with the hosts replaced by local ones.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startBrowser, withPage } from './support/browser.js';
import { serveFiles } from './support/files.js';
import { startHeatstrip } from './support/heatstrip.js';
import { MEDIA, stream, webm } from './support/media.js';
import { until } from './support/until.js';
import { playsIn, playsOf } from './support/watching.js';

const read = (path) => readFile(fileURLToPath(new URL(path, import.meta.url)), 'utf8');

const heatstrip = await startHeatstrip();
after(() => heatstrip.stop());
const browser = await startBrowser();
after(() => browser.close());
const site = await serveFiles({
  '/media/': MEDIA,
  '/npm/': fileURLToPath(new URL('./node_modules/', import.meta.url)),
});
after(() => site.stop());

const { devDependencies } = JSON.parse(await read('./package.json'));
const document = await read('../../docs/players.md');
const fences = [...document.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language, text }));
const examples = fences.filter(({ language }) => language === 'html').map(({ text }) => text);
const video = `${site.origin}/media/${await webm()}`;
const streams = `${site.origin}/media/${await stream()}`;

/** An example as a page of the test's site, about videos of its own. */
function local(example, videoId) {
  const npm = /https:\/\/cdn\.jsdelivr\.net\/npm\/([\w.-]+)@([\d.]+)\//g;
  for (const [, name, version] of example.matchAll(npm)) assert.equal(devDependencies[name], version, name);
  const page = example
    .replaceAll(npm, `${site.origin}/npm/$1/`)
    .replaceAll('https://heat.example', heatstrip.url)
    .replaceAll(/https:\/\/media\.example\/\w+\.webm/g, video)
    .replaceAll('https://media.example/talk/', streams)
    .replaceAll('talk-4', `${videoId}-4`);
  assert.doesNotMatch(page, /\.example|cdn\./);
  return `<!doctype html>${page}`;
}

/** Plays so many seconds more; returns from where to where. */
function watch(page, seconds) {
  return page.evaluate(async (seconds) => {
    const video = window.document.querySelector('video');
    const once = (type) => new Promise((resolve) => video.addEventListener(type, resolve, { once: true }));
    if (video.readyState < 3) await once('canplay');
    const from = video.currentTime;
    await video.play();
    while (video.currentTime < from + seconds) await once('timeupdate');
    video.pause();
    await once('pause');
    return [from, video.currentTime];
  }, seconds);
}

/** What became of it once the page is gone. */
async function strip(videoId) {
  await until(async () => (await heatstrip.strip(videoId)).viewers > 0);
  return playsIn(await heatstrip.settledStrip(videoId));
}

test('there is an example for each player', () => {
  for (const player of ['hls.js', 'video.js', 'shaka-player', 'plyr']) {
    assert.ok(examples.some((example) => example.includes(`/npm/${player}@`)), player);
  }
  assert.ok(examples.some((example) => example.includes('heatstrip.classic.js')));
});

examples.forEach((example, index) => {
  const [, player] = /npm\/([\w.-]+)@/.exec(example) ?? [undefined, 'no player'];
  test(`example ${index + 1}, with ${player}, tells what was played`, async () => {
    const videoId = `doc-${index}`;
    await withPage(browser, { origins: [site.origin, heatstrip.url] }, async (page) => {
      await page.goto(site.page(local(example, videoId)));
      const played = [await watch(page, 2.1)];
      const next = example.includes('data-id');
      if (next) {
        await page.click('button');
        const other = await watch(page, 3.1);
        await page.goto(site.page('elsewhere'));
        assert.deepEqual(await strip(`${videoId}-43`), playsOf([other]));
      } else {
        await page.goto(site.page('elsewhere'));
      }
      assert.deepEqual(await strip(`${videoId}-42`), playsOf(played));
    });
  });
});

test('the policy that is told is enough, and needed', async () => {
  const [policy] = fences.filter(({ language }) => language === 'http').map(({ text }) => text.trim());
  const allowed = policy
    .replaceAll('https://heat.example', heatstrip.url)
    // The example's own script stands in the page.
    .replace('script-src', "script-src 'unsafe-inline'");
  const rest = `default-src 'none'; media-src ${site.origin}`;
  const under = (videoId, policy) =>
    site.page(`<meta http-equiv="Content-Security-Policy" content="${policy}">${local(examples[0], videoId)}`);
  await withPage(browser, { origins: [site.origin, heatstrip.url] }, async (page) => {
    await page.goto(under('policy', `${rest}; ${allowed}`));
    const played = [await watch(page, 2.1)];
    await page.goto(site.page('elsewhere'));
    assert.deepEqual(await strip('policy-42'), playsOf(played));
  });
  const tolerate = [/violates the following Content Security Policy/];
  await withPage(browser, { origins: [site.origin, heatstrip.url], tolerate }, async (page) => {
    await page.goto(under('forbidden', rest));
    await page.waitForFunction(() => window.document.querySelector('video').readyState >= 3);
  });
});

test('the beat that is shown is accepted', async () => {
  const [beat] = fences.filter(({ language }) => language === 'json').map(({ text }) => JSON.parse(text));
  assert.deepEqual(await heatstrip.send(beat), { accepted: 1, rejected: [] });
});
