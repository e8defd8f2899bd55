// A real browser plays a real video on a page of another site; the strip shows exactly the seconds that it played.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { startBrowser, withPage } from './support/browser.js';
import { serveFiles } from './support/files.js';
import { startHeatstrip } from './support/heatstrip.js';
import { MEDIA, webm } from './support/media.js';
import { losingProxy } from './support/proxy.js';
import { withTab } from './support/tab.js';
import { until } from './support/until.js';
import { playsIn, playsOf, watchingPage } from './support/watching.js';

const heatstrip = await startHeatstrip();
after(() => heatstrip.stop());
const browser = await startBrowser();
after(() => browser.close());
const site = await serveFiles({ '/media/': MEDIA });
after(() => site.stop());
const source = `/media/${await webm()}`;
const DURATION = 30;

const origins = [site.origin, heatstrip.url];
const pageFor = (videoId, more = {}) =>
  site.page(watchingPage({ heatstrip: heatstrip.url, source, options: `videoId: '${videoId}'`, ...more }));

/** Opens a page with the client and waits until the video can play. */
async function open(page, url) {
  await page.goto(url);
  await page.waitForFunction(() => window.ready);
}

test('what plays, is sought and seen again stands in the strip, to the second', async () => {
  await withPage(browser, { origins }, async (page) => {
    await open(page, pageFor('sought'));
    await page.evaluate(async () => {
      await watch(0, 5.2);
      await watch(20, 24.2);
      await watch(2, 4.2);
    });
    assert.equal(await page.evaluate(() => client.flush()), true);
    const strip = await heatstrip.settledStrip('sought');
    assert.deepEqual(playsIn(strip), playsOf(await page.evaluate(() => played)));
    assert.deepEqual(playsIn(strip).slice(0, 6), [1, 1, 2, 2, 1, 0]);
    assert.equal(strip.viewers, 1);
  });
});

test('a seek while it plays counts nothing between', async () => {
  await withPage(browser, { origins }, async (page) => {
    await open(page, pageFor('jumps'));
    const left = await page.evaluate(async () => {
      await video.play();
      await until(() => video.currentTime >= 2.7);
      const left = video.currentTime;
      await watch(20, 22.2, 1);
      await client.flush();
      return left;
    });
    const plays = playsIn(await heatstrip.settledStrip('jumps'));
    // What was played after the element last told its position, a quarter of a second at most, may be missing.
    assert.deepEqual(plays.slice(0, 2), [1, 1]);
    assert.deepEqual(plays.slice(Math.round(left), 20), Array(20 - Math.round(left)).fill(0));
    assert.deepEqual(plays.slice(20), [1, 1]);
  });
});

test('the end tells by itself, up to the last second', async () => {
  await withPage(browser, { origins }, async (page) => {
    await open(page, pageFor('ends'));
    const answered = page.waitForResponse(`${heatstrip.url}/v1/heartbeats`);
    await page.evaluate(() => watch(26, Infinity));
    assert.equal((await answered).status(), 202);
    assert.deepEqual(playsIn(await heatstrip.settledStrip('ends')), playsOf([[26, DURATION]]));
  });
});

test('a video that loops counts each pass whole', async () => {
  await withPage(browser, { origins }, async (page) => {
    await open(page, pageFor('loops'));
    const left = await page.evaluate(async () => {
      video.loop = true;
      video.playbackRate = 8;
      await video.play();
      for (let pass = 0; pass < 2; pass++) await once('seeked');
      await until(() => video.currentTime >= 8);
      video.pause();
      await once('pause');
      await client.flush();
      return video.currentTime;
    });
    const plays = playsIn(await heatstrip.settledStrip('loops'));
    assert.deepEqual(plays, playsOf([[0, DURATION], [0, DURATION], [0, left]]));
  });
});

test('seconds of the video count, however fast it plays', async () => {
  await withPage(browser, { origins }, async (page) => {
    await open(page, pageFor('fast'));
    await page.evaluate(async () => {
      setTimeout(() => (video.playbackRate = 16), 500);
      setTimeout(() => (video.playbackRate = 2), 1200);
      await watch(3, 28.2, 1);
      await client.flush();
    });
    const played = await page.evaluate(() => played);
    assert.deepEqual(playsIn(await heatstrip.settledStrip('fast')), playsOf(played));
  });
});

test('a tab in the background counts on, unless the site says otherwise', async () => {
  for (const [videoId, counts] of [
    ['hidden', undefined],
    ['unseen', '() => !document.hidden'],
  ]) {
    await withTab(browser, pageFor(videoId, { options: `videoId: '${videoId}', counts: ${counts}` }), async (tab) => {
      await until(() => tab.evaluate('window.ready'));
      const watching = tab.evaluate('watch(0, 16.2)');
      await tab.evaluate('until(() => video.currentTime >= 3)');
      await tab.hide();
      const hidden = await tab.evaluate('video.currentTime');
      await tab.evaluate('until(() => video.currentTime >= 10)');
      const shown = await tab.evaluate('video.currentTime');
      await tab.show();
      await watching;
      assert.equal(await tab.evaluate('client.flush()'), true);
      const plays = playsIn(await heatstrip.settledStrip(videoId));
      if (!counts) {
        assert.deepEqual(plays, playsOf(await tab.evaluate('played')));
      } else {
        // It was hidden a little earlier and shown a little later than the test could see.
        assert.deepEqual(plays.slice(0, 2), [1, 1]);
        const [first, last] = [Math.round(hidden), Math.round(shown) - 1];
        assert.deepEqual(plays.slice(first, last + 1), Array(last + 1 - first).fill(0));
        assert.ok(first < last, `${hidden} ${shown}`);
        assert.equal(plays.at(-1), 1);
      }
    });
  }
});

for (const [how, videoId] of [
  ['is closed', 'closed'],
  ['goes elsewhere', 'elsewhere'],
]) {
  test(`a page that ${how} in the middle tells the rest`, async () => {
    await withPage(browser, { origins }, async (page) => {
      await open(page, pageFor(videoId));
      await page.evaluate(async () => {
        addEventListener('pagehide', () => localStorage.setItem('left', video.currentTime));
        video.playbackRate = 4;
        await video.play();
        await until(() => video.currentTime >= 5);
      });
      const next = await page.context().newPage();
      if (how === 'is closed') await page.close({ runBeforeUnload: true });
      else await page.goto(site.page('elsewhere'));
      await next.goto(site.page('the same site'));
      await next.waitForFunction(() => localStorage.getItem('left'));
      const left = Number(await next.evaluate(() => localStorage.getItem('left')));
      await until(async () => (await heatstrip.strip(videoId)).viewers > 0);
      assert.deepEqual(playsIn(await heatstrip.settledStrip(videoId)), playsOf([[0, left]]));
    });
  });
}

test('a page that is left and come back to counts on', async () => {
  const cached = await startBrowser({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  try {
    await withPage(cached, { origins }, async (page) => {
      await open(page, pageFor('back'));
      await page.evaluate(async () => {
        window.isTheSame = true;
        await watch(0, 4.2);
      });
      await page.goto(site.page('elsewhere'));
      await page.goBack({ waitUntil: 'commit' });
      await page.waitForFunction(() => window.isTheSame);
      await page.evaluate(async () => {
        await watch(10, 13.2);
        await client.flush();
      });
      const played = await page.evaluate(() => played);
      assert.deepEqual(playsIn(await heatstrip.settledStrip('back')), playsOf(played));
    });
  } finally {
    await cached.close();
  }
});

test('a server that goes away and comes back counts everything once', async () => {
  const tolerate = [/ERR_CONNECTION_REFUSED/];
  await withPage(browser, { origins, tolerate }, async (page) => {
    await open(page, pageFor('away'));
    await page.evaluate(() => watch(0, 4.2));
    await heatstrip.pause();
    assert.equal(await page.evaluate(() => client.flush()), false);
    await page.evaluate(() => watch(10, 14.2));
    await heatstrip.start();
    await page.evaluate(() => until(async () => client.flush()));
    const played = await page.evaluate(() => played);
    await until(async () => playsIn(await heatstrip.settledStrip('away')).length > 10);
    assert.deepEqual(playsIn(await heatstrip.settledStrip('away')), playsOf(played));
  });
});

test('an answer that is lost makes nothing count twice', async () => {
  const proxy = await losingProxy(heatstrip.url);
  after(() => proxy.stop());
  const options = { origins: [...origins, proxy.origin], tolerate: [/ERR_EMPTY_RESPONSE/] };
  await withPage(browser, options, async (page) => {
    await open(page, pageFor('lost', { endpoint: proxy.origin }));
    await page.evaluate(() => watch(0, 4.2));
    assert.equal(await page.evaluate(() => client.flush()), false);
    const duplicate = await proxy.answered;
    assert.equal(duplicate.duplicate, true, JSON.stringify(duplicate));
    const played = await page.evaluate(() => played);
    assert.deepEqual(playsIn(await heatstrip.settledStrip('lost')), playsOf(played));
  });
});
