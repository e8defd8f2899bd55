// The README's pictures, of the demo's audience.

import { mkdir, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { startBrowser } from './browser.js';
import { serveFiles } from './files.js';
import { startHeatstrip } from './heatstrip.js';
import { MEDIA, webm } from './media.js';
import { terminalPage } from './terminal.js';

const IMAGES = fileURLToPath(new URL('../../../docs/img/', import.meta.url));
const VIDEO = 'perfect-ramen-eggs';
/** Of WebP. Text and flat colours stay clean, and all pictures together small. */
const QUALITY = 82;

const [browser, heatstrip, site] = await Promise.all([
  startBrowser(),
  startHeatstrip({ audience: true }),
  serveFiles({ '/media/': MEDIA }),
]);
try {
  await mkdir(IMAGES, { recursive: true });
  const list = { url: heatstrip.url, ready: (page) => page.locator('.row .spark').nth(11).waitFor() };
  const video = { url: `${heatstrip.url}/?video=${VIDEO}`, ready: ready };
  await take('dashboard', { ...list, width: 1280, height: 800 });
  await take('dashboard-dark', { ...list, width: 1280, height: 800, colorScheme: 'dark' });
  await take('video', { ...video, width: 1280, height: 1330 });
  await take('video-dark', { ...video, width: 1280, height: 1330, colorScheme: 'dark' });
  await take('phone', { ...video, width: 390, height: 844, scale: 2 });
  const player = site.page(`<!doctype html><meta name="color-scheme" content="light dark"><style>
      body { margin: 0; padding: 16px; width: 608px; background: Canvas } video { width: 100%; border-radius: 8px } heat-strip { height: 120px; margin-top: 8px }
    </style><video id="player" src="/media/${await webm()}" muted></video>
    <script type="module" src="${heatstrip.url}/heat-strip.js"></script>
    <heat-strip video="${VIDEO}" for="player"></heat-strip>`);
  await take('component', { url: player, width: 640, height: 520, ready: async (page) => {
    await page.locator('heat-strip .bar').first().waitFor();
    await page.locator('heat-strip').evaluate((strip) => strip.pointAt(175));
    await page.waitForFunction(() => document.querySelector('video').readyState >= 2);
  } });
  await take('terminal', { url: site.page(await terminalPage(heatstrip, VIDEO)), width: 860, height: 260, ready: () => {} });
} finally {
  await Promise.all([browser.close(), heatstrip.stop(), site.stop()]);
}

/** A video's page is there when its strip, its curves and its days are; a moment is pointed at. */
async function ready(page) {
  await page.locator('heat-strip .bar').first().waitFor();
  await page.locator('.curve canvas').nth(1).waitFor();
  await page.locator('.day .spark').first().waitFor();
  await page.locator('.places a').nth(3).waitFor();
  await page.locator('heat-strip').evaluate((strip) => strip.pointAt(strip.clientWidth > 600 ? 175 : null));
}

async function take(name, { url, width, height, scale = 1, colorScheme = 'light', ready }) {
  const context = await browser.newContext({ viewport: { width, height }, deviceScaleFactor: scale, colorScheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(url);
  await ready(page);
  await page.evaluate(() => document.fonts.ready);
  const debug = await context.newCDPSession(page);
  const { data } = await debug.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY });
  await writeFile(`${IMAGES}${name}.webp`, Buffer.from(data, 'base64'));
  console.log(`docs/img/${name}.webp`, (await stat(`${IMAGES}${name}.webp`)).size, 'bytes');
  await context.close();
}
