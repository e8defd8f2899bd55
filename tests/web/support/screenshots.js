// Takes the documents' pictures of the demo's audience.

import { mkdir, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { startBrowser } from './browser.js';
import { serveFiles } from './files.js';
import { startHeatstrip } from './heatstrip.js';
import { terminalPage } from './terminal.js';

const IMAGES = fileURLToPath(new URL('../../../docs/img/', import.meta.url));
const VIDEO = 'perfect-ramen-eggs';
/** Of WebP. Text and flat colours stay clean, and all pictures together small. */
const QUALITY = 82;

const [browser, heatstrip, site] = await Promise.all([startBrowser(), startHeatstrip({ audience: true }), serveFiles()]);
try {
  await mkdir(IMAGES, { recursive: true });
  const list = { url: heatstrip.url, ready: (page) => page.waitForFunction(drawn) };
  const video = { url: `${heatstrip.url}/?video=${VIDEO}`, ready: ready };
  await take('dashboard', { ...list, width: 1280, height: 800 });
  await take('dashboard-dark', { ...list, width: 1280, height: 800, colorScheme: 'dark' });
  await take('video', { ...video, width: 1280, height: 1330 });
  await take('video-dark', { ...video, width: 1280, height: 1330, colorScheme: 'dark' });
  await take('phone', { ...video, width: 390, height: 844, scale: 2 });
  await take('component', { url: site.page(player()), width: 640, height: 512, scale: 2, ready: async (page) => {
    await page.locator('heat-strip .bar').first().waitFor();
    await page.locator('heat-strip').evaluate((strip) => strip.pointAt(175));
  } });
  await take('terminal', { url: site.page(await terminalPage(heatstrip, VIDEO)), width: 860, height: 100, ready: whole });
} finally {
  await Promise.all([browser.close(), heatstrip.stop(), site.stop()]);
}

/** The list is there when each row in sight has its strip. */
function drawn() {
  const places = [...document.querySelectorAll('.row .spark-place')].filter((place) => place.getBoundingClientRect().top < innerHeight);
  return places.length > 0 && places.every((place) => place.firstChild);
}

/** A video's page is there when its strip, its curves and its days are; a moment is pointed at. */
async function ready(page) {
  await page.locator('heat-strip .bar').first().waitFor();
  await page.locator('.curves .curve canvas').nth(1).waitFor();
  await page.locator('.series .curve canvas').nth(1).waitFor();
  await page.locator('.numbers.lead').waitFor();
  await page.locator('.places a').nth(3).waitFor();
  await page.locator('heat-strip').evaluate((strip) => strip.pointAt(strip.clientWidth > 600 ? 175 : null));
}

/** A page in which something plays: a strip may stand under anything that has a `currentTime`. */
function player() {
  return `<!doctype html><style>
      body { margin: 0; padding: 16px; font-family: "Liberation Sans", Arial, sans-serif }
      #player { aspect-ratio: 16 / 9; border-radius: 8px; display: grid; place-content: center; background: radial-gradient(at 30% 20%, #7a4b6d, #2b2038 60%, #17131f) }
      #player::after { content: ""; border: 28px solid transparent; border-left: 46px solid #fffc; margin-left: 40px }
      heat-strip { height: 130px; margin-top: 8px; --heat-strip-font: 12px/1.4 "Liberation Sans", Arial, sans-serif }
    </style><div id="player"></div>
    <script>document.querySelector('#player').currentTime = 96</script>
    <script type="module" src="${heatstrip.url}/heat-strip.js"></script>
    <heat-strip video="${VIDEO}" for="player"></heat-strip>`;
}

/** As high as what is in it. */
async function whole(page) {
  const { width } = page.viewportSize();
  await page.setViewportSize({ width, height: await page.evaluate(() => document.body.scrollHeight) });
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
