// The question in the address, and how numbers, times and colours are shown.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import * as format from '../../web/format.js';
import { address, parse, range, videoPath } from '../../web/route.js';

const DEFAULTS = { video: null, days: 28, from: '', to: '', regions: [], resolution: 5, by: 'watched' };

test('every question survives the address', () => {
  const questions = [
    {},
    { video: 'cat-piano' },
    { video: 'a/b?c=d&e#f %2F', days: 7 },
    { video: '<img src=x onerror=alert(1)>', resolution: 1 },
    { video: '日本語 🎬 עברית', regions: ['JP', 'US'] },
    { video: ' led by a space', days: 0 },
    { video: 'v', days: 0, from: '2026-11-01', to: '2026-11-21', resolution: 3600 },
    { days: 0, to: '2026-11-21', regions: ['DE'] },
    { by: 'trending', days: 7 },
  ];
  for (const question of questions) {
    const asked = { ...DEFAULTS, ...question };
    const written = address(asked);
    assert.deepEqual(parse(new URL(written, 'http://host').search), asked, written);
  }
  assert.equal(address(DEFAULTS), './', 'the page may be below any path');
});

test('an address that means nothing is the default', () => {
  assert.deepEqual(parse('?days=no&from=yesterday&resolution=-1&region=GLOBAL&video=&by=luck'), DEFAULTS);
  assert.deepEqual(parse('?days=all'), DEFAULTS, 'all days are a video\'s alone');
  assert.deepEqual(parse('?region=us,%20jp,us'), { ...DEFAULTS, regions: ['JP', 'US'] });
  assert.equal(parse('?resolution=9999').resolution, 3600);
});

test('the last days end today', () => {
  assert.deepEqual(range({ ...DEFAULTS, days: 1 }, '2026-03-01'), { from: '2026-03-01', to: '2026-03-01' });
  assert.deepEqual(range({ ...DEFAULTS, days: 7 }, '2026-03-01'), { from: '2026-02-23', to: '2026-03-01' });
  assert.deepEqual(range({ ...DEFAULTS, days: 0, from: '2026-01-01' }, '2026-03-01'), { from: '2026-01-01', to: '' });
});

test('an id stays one step of the path', () => {
  assert.equal(videoPath('a/b?c#d', 'heatmap'), '/v1/videos/a%2Fb%3Fc%23d/heatmap');
});

test('times, numbers and days', () => {
  assert.deepEqual([0, 65, 3599, 3600, 50_400].map(format.clock), ['0:00', '1:05', '59:59', '1:00:00', '14:00:00']);
  assert.deepEqual([4, 60, 3600, 138_900].map(format.duration), ['4 s', '1 min', '1 h 00 min', '38 h 35 min']);
  assert.equal(format.percent(0.01625), '1.6 %');
  assert.equal(format.unit('viewer-days', 1), 'viewer-day');
  assert.equal(format.places(['GLOBAL']), 'everywhere');
  assert.equal(format.places(['JP', 'US']), 'JP + US');
  assert.match(format.scopeSentence('viewer-days'), /^viewer-days: a person who came on two days counts twice/);
  assert.equal(format.certainty({ exact: false, relative_error: 0.01625 }), '± 1.6 %');
  assert.equal(format.certainty({ exact: true, relative_error: 0 }), 'exact');
  assert.match(format.dayName('2026-11-21'), /^Sat,? 21 Nov$/);
  assert.match(format.dayRange('2026-10-25', '2026-11-21'), /^25 Oct\s*–\s*21 Nov 2026$/);
  assert.equal(format.dayRange('2026-11-21', '2026-11-21'), '21 Nov 2026');
  assert.equal(format.dayRange(null, null), 'no days yet');
  assert.deepEqual(format.daysBetween('2026-02-27', '2026-03-01', 28), ['2026-02-27', '2026-02-28', '2026-03-01']);
  assert.deepEqual(format.daysBetween('2020-01-01', '2026-03-01', 2), ['2026-02-28', '2026-03-01']);
});

/** Lightness as people see it (OKLab), from `#rrggbb`. */
function lightness(hex) {
  const [r, g, b] = [1, 3, 5]
    .map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return 0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s;
}

test('heat is told by lightness alone, so by every eye, and looks alike everywhere', async () => {
  const ramps = [];
  for (const file of ['dashboard.css', 'heat_strip_style.js']) {
    const text = await readFile(new URL(`../../web/${file}`, import.meta.url), 'utf8');
    const ramp = [...text.matchAll(/--strip-heat-\d: .*?light-dark\((#\w{6}), (#\w{6})\)/g)].map(([, light, dark]) => [light, dark]);
    assert.equal(ramp.length, 5, file);
    ramps.push(ramp);
  }
  assert.deepEqual(ramps[0], ramps[1]);
  const [light, dark] = [0, 1].map((scheme) => ramps[0].map((step) => lightness(step[scheme])));
  for (let step = 1; step < 5; step++) {
    assert.ok(light[step - 1] - light[step] > 0.05, `by day, step ${step}: ${light}`);
    assert.ok(dark[step] - dark[step - 1] > 0.05, `by night, step ${step}: ${dark}`);
  }
});
