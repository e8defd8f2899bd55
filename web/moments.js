// Finds what is worth saying about a strip: where people watch again, skip and leave. This file is pure, and
// docs/dashboard.md defines each moment.

import { clock, percent, stretch, times } from "./format.js";

/** Fewer people than this have no habits yet. */
export const MIN_VIEWERS = 20;
/** A bucket with less than this share of the peak says nothing: two fans who loop one second are no moment. */
const MIN_AUDIENCE = 0.1;
/** A replay below this is one that nobody would see. */
const MIN_REPLAY = 1.1;
/** A part is skipped when at least this share of those around it is missing from it. */
const MIN_SKIPPED = 0.2;
/** At a drop, at least this share of those still there leaves within a bucket ... */
const MIN_DROP = 0.08;
/** ... and at least this many times as many as is usual in this video. */
const MIN_DROP_RATIO = 3;
/** Fewer people than this may leave by chance. */
const MIN_LEAVERS = 5;
/** Leaving in the last tenth is the end, not a drop. */
const ENDING = 0.9;
/** At most this many moments of one kind are told. */
const MOST = 3;
/** Two drops with at most so many buckets between them are one. */
const DROP_GAP = 2;
/** The opening is over at this second. */
const OPENING_SECS = 30;

/**
 * @typedef {{bucket: number, viewers: number, seconds_played: number, replay: number, retention: number, reached: number}} Bucket
 * @typedef {{resolution: number, viewers: number, peak: number, relative_error: number, buckets: Bucket[]}} Strip
 * @typedef {{kind: "opening" | "rewatched" | "skipped" | "drop" | "left" | "end", from: number, to: number, at?: number, value: number, left?: number}} Moment
 */

const hasAudience = (strip, bucket) => bucket.viewers > 0 && bucket.viewers >= strip.peak * MIN_AUDIENCE;

/** Returns what chance alone hardly reaches: three standard errors, none where the strip is exact. */
const noise = (strip) => 3 * strip.relative_error;

/** Returns how many seconds were watched; the last bucket counts only up to the last watched one. @param {Strip} strip */
export function watchedLength({ buckets, resolution }) {
  const last = buckets.at(-1);
  if (!last) return 0;
  const secs = last.replay > 0 ? Math.round(last.seconds_played / (last.replay * last.viewers)) : resolution;
  return last.bucket + Math.min(resolution, Math.max(1, secs));
}

/** Returns the stretches of indices at which `test` holds, as `[first, last]`. */
function runs(length, test) {
  const found = [];
  for (let index = 0; index < length; index++) {
    if (!test(index)) continue;
    if (found.at(-1)?.[1] === index - 1) found.at(-1)[1] = index;
    else found.push([index, index]);
  }
  return found;
}

/** Returns true if a bucket counts as watched again. @param {Strip} strip @param {Bucket} bucket */
export const isRewatched = (strip, bucket) =>
  hasAudience(strip, bucket) && bucket.replay >= Math.max(MIN_REPLAY, 1 + noise(strip));

/**
 * Returns stretches that people watch again, the hottest first. A stretch reaches around a summit of `replay` as far as at
 * least half of what the summit has above 1 remains.
 * @param {Strip} strip @returns {Moment[]}
 */
export function hotspots(strip) {
  const { buckets, resolution } = strip;
  const length = watchedLength(strip);
  const found = runs(buckets.length, (index) => isRewatched(strip, buckets[index])).map(([first, last]) => {
    let summit = first;
    for (let index = first; index <= last; index++) if (buckets[index].replay > buckets[summit].replay) summit = index;
    const half = 1 + (buckets[summit].replay - 1) / 2;
    let [from, to] = [summit, summit];
    while (from > first && buckets[from - 1].replay >= half) from--;
    while (to < last && buckets[to + 1].replay >= half) to++;
    return { kind: "rewatched", from: buckets[from].bucket, to: Math.min(length, buckets[to].bucket + resolution), at: buckets[summit].bucket, value: buckets[summit].replay };
  });
  found.sort((a, b) => b.value - a.value || a.from - b.from);
  // Next to a summit of 3×, one of 1.1× is the usual unrest.
  return found.filter(({ value }) => value - 1 >= (found[0].value - 1) / 3).slice(0, MOST);
}

/**
 * Returns stretches that people jump over: fewer are present than both before and after.
 * @param {Strip} strip @returns {Moment[]}
 */
export function skips(strip) {
  const { buckets, resolution } = strip;
  const length = watchedLength(strip);
  const most = (list) => {
    let high = 0;
    return list.map(({ viewers }) => (high = Math.max(high, viewers)));
  };
  const before = most(buckets);
  const after = most([...buckets].reverse()).reverse();
  const around = buckets.map((_, index) => Math.min(before[index], after[index]));
  const missing = buckets.map(({ viewers }, index) => (around[index] ? 1 - viewers / around[index] : 0));
  const enough = Math.max(MIN_SKIPPED, 2 * noise(strip));
  const found = runs(buckets.length, (index) => missing[index] >= enough && around[index] >= strip.peak * MIN_AUDIENCE)
    .map(([first, last]) => ({
      kind: "skipped",
      from: buckets[first].bucket,
      to: Math.min(length, buckets[last].bucket + resolution),
      value: Math.max(...missing.slice(first, last + 1)),
    }));
  return found.sort((a, b) => b.value * (b.to - b.from) - a.value * (a.to - a.from)).slice(0, MOST);
}

/**
 * Returns where unusually many leave at once, most people first. Those who leave are never seen again: `reached` falls.
 * @param {Strip} strip @returns {Moment[]}
 */
export function drops(strip) {
  const { buckets } = strip;
  const gone = buckets.slice(1).map((next, index) => {
    const { reached } = buckets[index];
    return reached ? (reached - next.reached) / reached : 0;
  });
  const usual = [...gone].sort((a, b) => a - b)[Math.floor(gone.length / 2)] ?? 0;
  const enough = Math.max(MIN_DROP, usual * MIN_DROP_RATIO, noise(strip));
  // People who leave for one reason do not leave within one bucket: what is nearly one drop is told as one.
  const near = [];
  for (const [first, last] of runs(Math.floor(gone.length * ENDING), (index) => gone[index] >= enough)) {
    if (near.length && first - near.at(-1)[1] - 1 <= DROP_GAP) near.at(-1)[1] = last;
    else near.push([first, last]);
  }
  const found = near.map(([first, last]) => {
    const [from, to] = [buckets[first], buckets[last + 1]];
    return { kind: "drop", from: from.bucket, to: to.bucket, value: 1 - to.reached / from.reached, lost: from.reached - to.reached };
  });
  const many = found.filter(({ lost }) => lost >= MIN_LEAVERS).sort((a, b) => b.lost - a.lost);
  return many.slice(0, MOST).map(({ lost, ...moment }) => moment);
}

/** Returns the first moment by which this share of all viewers has left for good, or null when more stay. */
export function leftBy(strip, share) {
  const bucket = strip.buckets.find(({ reached }) => reached <= strip.viewers * (1 - share));
  return bucket ? { kind: "left", from: bucket.bucket, to: bucket.bucket, value: share } : null;
}

/** Returns the share of all viewers that was seen at a time or later. */
function staysUntil(strip, secs) {
  const bucket = strip.buckets[Math.floor(secs / strip.resolution)];
  return bucket && strip.viewers ? bucket.reached / strip.viewers : 0;
}

/** Returns all moments in the order of the video. @param {Strip} strip @returns {Moment[]} */
export function moments(strip) {
  if (strip.viewers < MIN_VIEWERS || strip.buckets.length < 4) return [];
  const length = watchedLength(strip);
  const fallen = drops(strip);
  const found = [...hotspots(strip), ...skips(strip), ...fallen];
  const hasOpening = length > 2 * OPENING_SECS && strip.resolution <= OPENING_SECS;
  if (hasOpening) found.push({ kind: "opening", from: OPENING_SECS, to: OPENING_SECS, value: staysUntil(strip, OPENING_SECS) });
  for (const share of [1 / 2, 1 / 3]) {
    const left = leftBy(strip, share);
    // What the last tenth loses is the end, and what the opening loses is told with it.
    if (!left || left.from >= length * ENDING || (hasOpening && left.from <= OPENING_SECS)) continue;
    const drop = fallen.find(({ from, to }) => left.from > from && left.from <= to + strip.resolution);
    // A drop tells who has left by its end, so that two lines do not say the same; of two shares the larger.
    if (drop) drop.left ??= share;
    else found.push(left);
  }
  const last = Math.floor(length * 0.95);
  found.push({ kind: "end", from: last, to: last, value: staysUntil(strip, last) });
  return found.sort((a, b) => a.from - b.from || a.to - b.to);
}

const SHARES = new Map([[1 / 3, "A third"], [1 / 2, "Half"]]);

/** Says what happens at a moment, and how much of it. @param {Moment} moment @returns {[string, string]} */
export function describe({ kind, from, to, at, value, left }) {
  switch (kind) {
    case "rewatched": return [`Re-watched ${stretch(from, to)}`, `up to ${times(value)} per viewer, at ${clock(at)}`];
    case "skipped": return [`Skipped ${stretch(from, to)}`, `by up to ${percent(value, 0)} of those around it`];
    case "drop": return [`Many leave ${stretch(from, to)}`, `${percent(value, 0)} of those still there${left ? `; ${SHARES.get(left).toLowerCase()} of all have left by then` : ""}`];
    case "left": return [`${SHARES.get(value)} have left by ${clock(from)}`, "not seen then or later"];
    case "opening": return [`${percent(value, 0)} are still there at ${clock(from)}`, "the opening: seen then or later"];
    default: return [`${percent(value, 0)} stay to the end`, `seen at ${clock(from)} or later`];
  }
}
