// Draws a strip as SVG. It knows the answer's JSON and a size, but neither the page nor the network. Colours are the custom
// properties `--strip-heat-0` … `--strip-heat-4` of whoever shows it, so light and dark follow without drawing again.

import { clock, number, times } from "./format.js";
import { hotspots, isRewatched } from "./moments.js";

const SVG = "http://www.w3.org/2000/svg";
const TICK_SECS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200];

// Heights in pixels: the marker's label stands above the bars, the replay lane and the axis below them.
const MARKER = 22;
const GAP = 4;
const LANE = 8;
const AXIS = 24;
/** The scale's label takes this room at the right end, and the marker's this room beside it. */
const SCALE = 60;
const MARKER_LABEL = 176;
/** A lower strip shows bars and lane alone. */
const MIN_LABELLED = 96;
/** No bar is thinner than this. */
const MIN_BAR = 2;

/** @typedef {import("./moments.js").Strip} Strip */

/**
 * Returns the strip as an `<svg>` of this size, with functions that tell where things are and move its cursors.
 * @param {Strip} strip @param {number} width @param {number} height
 * @param {number} [duration] the length of the video that the strip stands under, in seconds: then both share one scale
 */
export function drawStrip(strip, width, height, duration) {
  const { buckets, resolution } = strip;
  const labelled = height >= MIN_LABELLED;
  const top = labelled ? MARKER : 2;
  const base = height - GAP - LANE - (labelled ? AXIS : 0);
  const watched = buckets.length * resolution;
  const span = duration > 0 && Number.isFinite(duration) ? duration : watched;
  // `reached` may lie above the peak of any one bucket; everything shares one scale.
  const most = Math.max(1, strip.peak, strip.viewers);
  const x = (secs) => (secs / span) * width;
  const y = (viewers) => base - (viewers / most) * (base - top);

  const svg = element("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  if (labelled) svg.append(grid(y(most), width), grid(y(most / 2), width));
  svg.append(element("rect", { class: "lane", x: 0, y: base + GAP, width, height: LANE, rx: 2 }));
  // The video may end within the last bucket, or before it: nothing is drawn behind its end.
  const drawn = { width: x(watched), end: width };
  svg.append(...bars(strip, drawn, y), ...lane(strip, drawn, base + GAP), reachedLine(strip, (secs) => Math.min(width, x(secs)), y));
  if (labelled) {
    svg.append(...axis(span, width, x, base + GAP + LANE));
    const [hottest] = hotspots(strip);
    const middle = hottest && Math.min(width, x(hottest.at + resolution / 2));
    if (hottest) svg.append(...marker(hottest, middle, width));
    if (!hottest || markerEnd(middle, width) <= width - SCALE) svg.append(scale(most, width));
  }
  const range = { y: top - 2, height: base + GAP + LANE - top + 2, visibility: "hidden" };
  const pointer = element("rect", { class: "pointer", ...range });
  const playhead = element("rect", { class: "playhead", width: 2, ...range });
  svg.append(pointer, playhead);

  return {
    svg,
    /** Returns the index of the bucket at a distance from the left edge. */
    indexAt: (px) => clamp(Math.floor(((px / width) * span) / resolution), buckets.length),
    /** Returns the middle of a bucket, from the left edge. */
    middle: (index) => x((index + 0.5) * resolution),
    /** Puts the pointer on a bucket; null takes it away. */
    point(index) {
      pointer.setAttribute("visibility", index === null ? "hidden" : "visible");
      if (index === null) return;
      const left = Math.min(width - MIN_BAR, x(index * resolution));
      pointer.setAttribute("x", left);
      pointer.setAttribute("width", Math.max(MIN_BAR, Math.min(x(resolution), width - left)));
    },
    /** Puts the playhead on a time; null takes it away. */
    play(secs) {
      const shown = secs !== null && secs <= span;
      playhead.setAttribute("visibility", shown ? "visible" : "hidden");
      if (shown) playhead.setAttribute("x", Math.min(width - 2, x(secs)));
    },
  };
}

/**
 * Returns a small strip for a list: bars alone, as wide as there is room. `most` is the top of the scale, by default the
 * strip's own peak.
 * @param {Strip} strip
 */
export function drawSpark(strip, most = strip.peak) {
  const [width, height] = [240, 40];
  const svg = element("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  svg.append(...bars(strip, { width, end: width }, (viewers) => height - (viewers / Math.max(1, most)) * height, { most, air: 0 }));
  return svg;
}

/** Returns the nearest index of a list of this length. */
export const clamp = (index, length) => Math.min(length - 1, Math.max(0, index));

/**
 * Groups buckets so that there are at most so many; a group shows its largest numbers, so no peak gets lost.
 * @param {Strip} strip @param {number} most
 */
export function grouped({ buckets }, most) {
  const each = Math.max(1, Math.ceil(buckets.length / most));
  const groups = [];
  for (let first = 0; first < buckets.length; first += each) {
    const group = buckets.slice(first, first + each);
    const largest = (a, b, field) => (b[field] > a[field] ? b : a);
    groups.push({
      first, count: group.length,
      fullest: group.reduce((a, b) => largest(a, b, "viewers")),
      hottest: group.reduce((a, b) => largest(a, b, "replay")),
    });
  }
  return groups;
}

function bars(strip, { width, end }, y, { most = strip.peak, air = 1 } = {}) {
  const bucketWidth = width / strip.buckets.length;
  const base = y(0);
  const drawn = [];
  for (const { first, count, fullest: { viewers } } of grouped(strip, width / MIN_BAR)) {
    if (viewers === 0) continue;
    const left = first * bucketWidth;
    const wide = Math.min(count * bucketWidth, end - left);
    if (wide <= 0) break;
    // There is air between bars only where there is room for it.
    const between = wide >= 6 ? air : 0;
    const height = Math.max(1.5, base - y(viewers));
    const bar = element("rect", {
      class: between ? "bar" : "bar dense",
      x: left, width: Math.max(0.5, wide - between), y: base - height, height,
    });
    bar.style.fill = heat(viewers / Math.max(1, most));
    drawn.push(bar);
  }
  return drawn;
}

/** Draws where people watch again; the more they do, the deeper the lane. */
function lane(strip, { width, end }, y) {
  const bucketWidth = width / strip.buckets.length;
  const most = strip.buckets.reduce((most, bucket) => (isRewatched(strip, bucket) ? Math.max(most, bucket.replay) : most), 1.5);
  const within = ({ first, hottest }) => first * bucketWidth < end && isRewatched(strip, hottest);
  return grouped(strip, width / MIN_BAR).filter(within).map(({ first, count, hottest }) =>
    element("rect", {
      class: "replay", x: first * bucketWidth, width: Math.min(count * bucketWidth, end - first * bucketWidth), y, height: LANE,
      opacity: Math.min(1, 0.25 + (0.75 * (hottest.replay - 1)) / (most - 1)).toFixed(2),
    }));
}

/** Returns a colour of the ramp. @param {number} share */
function heat(share) {
  const place = Math.min(1, Math.max(0, share)) * 4;
  const cold = Math.min(3, Math.floor(place));
  const part = Math.round((place - cold) * 100);
  return `color-mix(in oklab, var(--strip-heat-${cold + 1}) ${part}%, var(--strip-heat-${cold}))`;
}

function reachedLine(strip, x, y) {
  const steps = grouped(strip, 1000).map(({ first, count }) =>
    `V${y(strip.buckets[first].reached).toFixed(1)}H${x((first + count) * strip.resolution).toFixed(1)}`);
  return element("path", { class: "reached", d: `M0 ${y(strip.viewers).toFixed(1)}${steps.join("")}` });
}

const grid = (y, width) => element("line", { class: "grid", x1: 0, x2: width, y1: Math.round(y) + 0.5, y2: Math.round(y) + 0.5 });

function axis(span, width, x, y) {
  const room = clock(span).length * 7 + 28;
  const step = TICK_SECS.find((secs) => x(secs) >= room) ?? span;
  const drawn = [];
  for (let secs = 0; secs < span; secs += step) {
    const left = x(secs);
    if (left + room / 2 - 14 > width) break;
    drawn.push(element("line", { class: "tick", x1: left + 0.5, x2: left + 0.5, y1: y, y2: y + 5 }));
    const label = element("text", { class: "time", x: left, y: y + 18, "text-anchor": secs === 0 ? "start" : "middle" });
    label.textContent = clock(secs);
    drawn.push(label);
  }
  return drawn;
}

/** Draws what the height of the strip stands for. */
function scale(most, width) {
  const label = element("text", { class: "time", x: width, y: 13, "text-anchor": "end" });
  label.textContent = number(most);
  return label;
}

/** Returns where the marker's label ends: right of the marker if it has room there, else at it. */
function markerEnd(at, width) {
  const right = at + MARKER_LABEL;
  return right <= width - SCALE || at < MARKER_LABEL ? right : at;
}

function marker(hottest, at, width) {
  const label = element("text", { class: "most", y: 13 });
  label.textContent = `most replayed ${clock(hottest.at)} · ${times(hottest.value)}`;
  const toTheLeft = markerEnd(at, width) === at;
  label.setAttribute("x", toTheLeft ? at - 9 : at + 9);
  label.setAttribute("text-anchor", toTheLeft ? "end" : "start");
  return [element("path", { class: "most", d: `M${at - 5} 5h10l-5 9z` }), label];
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
