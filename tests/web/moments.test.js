// What is said of a strip, on strips made by hand.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { describe, drops, hotspots, leftBy, moments, skips, watchedLength } from '../../web/moments.js';

/** A strip of 5-second buckets, each `[viewers, replay]`; whoever is seen late is taken to have been there all the time. */
function strip(buckets, { relative_error = 0, resolution = 5 } = {}) {
  const peak = Math.max(...buckets.map(([viewers]) => viewers));
  let later = 0;
  const reached = buckets.map(([viewers]) => viewers).reverse().map((viewers) => (later = Math.max(later, viewers))).reverse();
  return {
    resolution,
    relative_error,
    peak,
    viewers: peak,
    buckets: buckets.map(([viewers, replay = 1], index) => ({
      bucket: index * resolution,
      viewers,
      replay,
      seconds_played: viewers * resolution * replay,
      retention: viewers / peak,
      reached: reached[index],
    })),
  };
}

const times = (count, bucket) => Array(count).fill(bucket);

test('a hotspot reaches as far as half of what its summit has above one', () => {
  const replays = [1, 1, 1.3, 1.4, 1.8, 1.5, 1.2, 1, 1];
  const [hottest, ...others] = hotspots(strip(replays.map((replay) => [50, replay])));
  assert.deepEqual(hottest, { kind: 'rewatched', from: 15, to: 30, at: 20, value: 1.8 });
  assert.deepEqual(others, []);
});

test('hotspots come by heat, and those that pale beside the hottest are left out', () => {
  const replays = [1.2, 1, 1.5, 1, 3, 1, 1.9, 1];
  const found = hotspots(strip(replays.map((replay) => [50, replay])));
  assert.deepEqual(found.map(({ at }) => at), [20, 30]);
});

test('chance and two fans are no hotspot', () => {
  assert.deepEqual(hotspots(strip(times(6, [50, 1.09]))), [], 'nobody would see it');
  assert.equal(hotspots(strip(times(6, [50, 1.12]), { relative_error: 0.05 })).length, 0, 'within three standard errors');
  assert.equal(hotspots(strip(times(6, [50, 1.16]), { relative_error: 0.05 })).length, 1, 'beyond them');
  assert.deepEqual(hotspots(strip([...times(6, [50]), [4, 9]])), [], 'less than a tenth of the peak');
  assert.equal(hotspots(strip([...times(6, [50]), [5, 9]])).length, 1, 'a tenth of the peak');
});

test('a part is skipped where fewer are present than before and after', () => {
  const viewers = [100, 100, 40, 20, 60, 90, 80, 70];
  const [skipped, ...others] = skips(strip(viewers.map((one) => [one])));
  assert.deepEqual([skipped.from, skipped.to, others.length], [10, 25, 0]);
  assert.ok(Math.abs(skipped.value - (1 - 20 / 90)) < 1e-9, 'of the 90 who come again');
  assert.deepEqual(skips(strip([[100], [60], [40], [20]])), [], 'leaving is not skipping');
  assert.deepEqual(skips(strip([[100], [85], [100]])), [], 'less than a fifth');
  assert.deepEqual(skips(strip([[100], [0], [5]])), [], 'hardly anybody comes again');
});

test('a drop is sudden, unusual, and not the end', () => {
  const slow = [100, 99, 98, 97, 96, 95, 94, 93, 92, 91];
  assert.deepEqual(drops(strip(slow.map((one) => [one]))), []);
  const sudden = [100, 99, 98, 97, 70, 69, 68, 67, 66, 65, 64, 20];
  const found = drops(strip(sudden.map((one) => [one])));
  assert.equal(found.length, 1);
  assert.deepEqual([found[0].from, found[0].to], [15, 20]);
  assert.ok(Math.abs(found[0].value - (1 - 70 / 97)) < 1e-9);
  const steady = Array.from({ length: 20 }, (_, index) => [Math.round(1000 * 0.85 ** index)]);
  assert.deepEqual(drops(strip(steady)), [], 'what is usual here is no drop');
  assert.deepEqual(drops(strip([...times(5, [12]), ...times(6, [10])])), [], 'two people are chance');
});

test('drops beside each other are one', () => {
  const beside = [100, 99, 98, 80, 79, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50];
  const found = drops(strip(beside.map((one) => [one])));
  assert.deepEqual(found.map(({ from, to }) => [from, to]), [[10, 25]]);
  assert.ok(Math.abs(found[0].value - (1 - 60 / 98)) < 1e-9, 'from before the first to after the last');
  const apart = [100, 99, 98, 80, 79, 78, 77, 60, 59, 58, 57, 56, 55, 54, 53, 52];
  assert.equal(drops(strip(apart.map((one) => [one]))).length, 2, 'three quiet buckets part them');
});

test('who has left is who is never seen again', () => {
  const viewers = [90, 20, 90, 60, 59, 45, 44, 30];
  const made = strip(viewers.map((one) => [one]));
  assert.equal(leftBy(made, 1 / 3).from, 15);
  assert.equal(leftBy(made, 1 / 2).from, 25);
  assert.equal(leftBy(made, 3 / 4), null, 'a third stays');
});

test('moments come in the order of the video and in words', () => {
  const found = moments(strip([...times(4, [90]), ...times(4, [60, 1]), ...times(2, [58, 1.8]), ...times(6, [40])]));
  assert.deepEqual(found.map((moment) => describe(moment)), [
    ['Many leave 0:15–0:20', '33 % of those still there'],
    ['67 % are still there at 0:30', 'the opening: seen then or later'],
    ['Re-watched 0:40–0:50', 'up to 1.80× per viewer, at 0:40'],
    ['Many leave 0:45–0:50', '31 % of those still there; half of all have left by then'],
    ['44 % stay to the end', 'seen at 1:16 or later'],
  ]);
});

test('five lines do not say the same', () => {
  // Two in three leave around one point, bucket by bucket, after an opening in which nobody does.
  const leaving = [...times(10, [100]), [90], [60], [59], [40], [39], [34], ...times(14, [33])];
  const kinds = moments(strip(leaving)).map((moment) => describe(moment));
  assert.deepEqual(kinds, [
    ['100 % are still there at 0:30', 'the opening: seen then or later'],
    ['Many leave 0:45–1:15', '66 % of those still there; half of all have left by then'],
    ['33 % stay to the end', 'seen at 2:22 or later'],
  ]);
});

test('a slow decline is told by its shares', () => {
  const slow = Array.from({ length: 40 }, (_, index) => [Math.round(1000 * 0.98 ** index)]);
  assert.deepEqual(moments(strip(slow)).filter(({ kind }) => kind === 'left').map(({ from, value }) => [from, value]), [[105, 1 / 3], [175, 1 / 2]]);
});

test('of few viewers and of few buckets nothing is said', () => {
  assert.deepEqual(moments(strip(times(20, [19]))), []);
  assert.notDeepEqual(moments(strip(times(20, [20]))), []);
  assert.deepEqual(moments(strip(times(3, [500]))), []);
  assert.deepEqual(moments({ resolution: 5, viewers: 0, peak: 0, relative_error: 0, buckets: [] }), []);
});

test('the last bucket ends where watching ends', () => {
  const made = strip([[10], [10], [4]]);
  assert.equal(watchedLength(made), 15);
  made.buckets[2].seconds_played = 8;
  assert.equal(watchedLength(made), 12, 'two seconds of four people, played once');
  assert.equal(watchedLength(strip([[10], [10], [4, 0]])), 15, 'where the ratio is nothing, the whole bucket');
});

test('ten thousand buckets are no burden', () => {
  const made = strip(Array.from({ length: 10_000 }, (_, index) => [Math.round(1000 * 0.9998 ** index), 1 + (index % 97) / 100]), { relative_error: 0.01625 });
  const began = performance.now();
  assert.ok(moments(made).length > 0);
  assert.ok(performance.now() - began < 1000);
});
