// That the tools of these tests find what they are for.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { startBrowser, withPage } from './support/browser.js';
import { serveFiles } from './support/files.js';
import { startHeatstrip } from './support/heatstrip.js';
import { MEDIA, webm } from './support/media.js';

const browser = await startBrowser();
after(() => browser.close());
const site = await serveFiles({ '/media/': MEDIA });
after(() => site.stop());

test('a page with a fault fails', async () => {
  const faulty = {
    'console error': '<script>console.error("broken")</script>',
    'page error': '<script>throw new Error("broken")</script>',
    'request to': '<img src="http://localhost:9/elsewhere.png">',
    'console error: Failed to load resource': '<img src="/missing.png">',
  };
  for (const [fault, html] of Object.entries(faulty)) {
    const opened = withPage(browser, { origins: [site.origin] }, (page) => page.goto(site.page(html)));
    await assert.rejects(opened, (error) => error.message.includes(fault) || String(error.actual).includes(fault), fault);
  }
  const tolerant = { origins: [site.origin], tolerate: [/never said/] };
  await assert.rejects(withPage(browser, tolerant, (page) => page.goto(site.page('fine'))));
});

test('the browser plays the video', async () => {
  const source = `/media/${await webm()}`;
  await withPage(browser, { origins: [site.origin] }, async (page) => {
    await page.goto(site.page(`<video muted src="${source}"></video>`));
    const duration = await page.evaluate(async () => {
      const video = document.querySelector('video');
      await video.play();
      video.currentTime = 29;
      await new Promise((resolve) => video.addEventListener('ended', resolve));
      return video.duration;
    });
    assert.ok(Math.abs(duration - 30) < 0.1, `${duration}`);
  });
});

test('a server begins empty, keeps its data over a restart and tells what was watched', async () => {
  const heatstrip = await startHeatstrip();
  try {
    await heatstrip.send({ video_id: 'v', viewer_id: 'ada', start_sec: 1, end_sec: 2 });
    const { url } = heatstrip;
    await heatstrip.pause();
    await heatstrip.start();
    assert.equal(heatstrip.url, url);
    const strip = await heatstrip.settledStrip('v');
    assert.deepEqual(strip.buckets.map((bucket) => bucket.seconds_played), [0, 1, 1]);
    assert.equal((await heatstrip.strip('another')).viewers, 0);
  } finally {
    await heatstrip.stop();
  }
});
