// Draws a strip as SVG. Pure: it knows the answer's JSON and a width, neither the page nor the network.

const SVG = "http://www.w3.org/2000/svg";
const TICK_SECS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200];

// Pixels, from top to bottom: the marker's label, the bars, the replay lane, the axis.
const MARKER = 24;
const BARS = 220;
const GAP = 5;
const LANE = 10;
const AXIS = 26;
const HEIGHT = MARKER + BARS + GAP + LANE + AXIS;
const BASE = MARKER + BARS;

/** `m:ss`, or `h:mm:ss` from an hour on. */
export function clock(secs) {
  const two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(secs / 3600), Math.floor(secs / 60) % 60, secs % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** The most replayed bucket, by the same rule as the terminal's: an audience, and more than chance. */
export function mostReplayed(strip) {
  let most = null;
  for (const bucket of strip.buckets) {
    const enoughViewers = bucket.viewers * 10 >= strip.peak;
    if (enoughViewers && bucket.replay > (most?.replay ?? 1 + 3 * strip.relative_error)) most = bucket;
  }
  return most;
}

/** The strip as an `<svg>` of `width` pixels; `view` answers where things are and moves its cursor. */
export function drawStrip(strip, width) {
  const { buckets, resolution } = strip;
  const span = buckets.length * resolution;
  const x = (secs) => (secs / span) * width;
  const y = (viewers, top) => BASE - (viewers / Math.max(1, top)) * BARS;
  // `reached` may lie above the peak of any one bucket; everything shares one scale.
  const top = Math.max(strip.peak, strip.viewers);

  const svg = element("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true" });
  svg.append(...grid(strip, top, width, y));
  svg.append(...bars(strip, top, width, y));
  svg.append(reachedLine(strip, top, x, y));
  svg.append(...axis(span, width, x));

  const most = mostReplayed(strip);
  if (most) svg.append(...marker(most, x(most.bucket + resolution / 2), width));

  const cursor = element("rect", { class: "cursor", y: MARKER - 4, height: BARS + GAP + LANE + 8, visibility: "hidden" });
  svg.append(cursor);

  return {
    svg,
    /** The index of the bucket at a distance from the left edge. */
    indexAt(px) {
      return Math.min(buckets.length - 1, Math.max(0, Math.floor((px / width) * buckets.length)));
    },
    /** Puts the cursor on a bucket; null takes it away. */
    point(index) {
      cursor.setAttribute("visibility", index === null ? "hidden" : "visible");
      if (index === null) return;
      const bar = Math.max(2, x(resolution));
      cursor.setAttribute("x", Math.min(width - bar, x(index * resolution)));
      cursor.setAttribute("width", bar);
    },
  };
}

/** Groups buckets so that no bar is thinner than 2 px; a group shows its largest numbers, so no peak gets lost. */
function columns(buckets, width) {
  const each = Math.max(1, Math.ceil(buckets.length / (width / 2)));
  const groups = [];
  for (let first = 0; first < buckets.length; first += each) {
    const group = buckets.slice(first, first + each);
    const largest = (field) => group.reduce((most, bucket) => Math.max(most, bucket[field]), 0);
    groups.push({ first, count: group.length, viewers: largest("viewers"), replay: largest("replay") });
  }
  return groups;
}

function bars(strip, top, width, y) {
  const bucketWidth = width / strip.buckets.length;
  const most = strip.buckets.reduce((most, bucket) => Math.max(most, bucket.replay), 0);
  const once = 1 + 3 * strip.relative_error;
  const drawn = [element("rect", { class: "lane", x: 0, y: BASE + GAP, width, height: LANE, rx: 2 })];
  for (const { first, count, viewers, replay } of columns(strip.buckets, width)) {
    if (viewers === 0) continue;
    const left = first * bucketWidth;
    const wide = count * bucketWidth;
    // Air between bars only where there is room for it.
    const air = wide >= 6 ? 1 : 0;
    const height = Math.max(1.5, BASE - y(viewers, top));
    const place = { x: left, width: Math.max(0.5, wide - air) };
    const bar = element("rect", { ...place, y: BASE - height, height, class: air ? "bar" : "bar dense" });
    bar.style.fill = heat(viewers / Math.max(1, strip.peak));
    drawn.push(bar);
    if (replay > once && viewers * 10 >= strip.peak) {
      const share = (replay - once) / Math.max(0.5, most - once);
      const opacity = 0.15 + 0.85 * Math.min(1, share);
      drawn.push(element("rect", { ...place, y: BASE + GAP, height: LANE, class: "replay", opacity }));
    }
  }
  return drawn;
}

/** A colour of the page's ramp `--heat-0` … `--heat-4`, so that light and dark follow without drawing again. */
function heat(share) {
  const place = Math.min(1, Math.max(0, share)) * 4;
  const cold = Math.min(3, Math.floor(place));
  const percent = Math.round((place - cold) * 100);
  return `color-mix(in oklab, var(--heat-${cold + 1}) ${percent}%, var(--heat-${cold}))`;
}

function reachedLine(strip, top, x, y) {
  const last = strip.buckets.length;
  const steps = strip.buckets.map((bucket, index) =>
    `V${y(bucket.reached, top).toFixed(1)}H${x(Math.min(last, index + 1) * strip.resolution).toFixed(1)}`);
  return element("path", { class: "reached", d: `M0 ${y(strip.viewers, top).toFixed(1)}${steps.join("")}` });
}

/** Lines at the top and at half of the scale, so that heights can be read. */
function grid(strip, top, width, y) {
  return [top, top / 2].map((viewers) =>
    element("line", { class: "grid", x1: 0, x2: width, y1: y(viewers, top) + 0.5, y2: y(viewers, top) + 0.5 }));
}

function axis(span, width, x) {
  const room = clock(span).length * 7 + 28;
  const step = TICK_SECS.find((secs) => x(secs) >= room) ?? span;
  const drawn = [];
  for (let secs = 0; secs < span; secs += step) {
    const left = x(secs);
    if (left + room / 2 - 14 > width) break;
    drawn.push(element("line", { class: "tick", x1: left + 0.5, x2: left + 0.5, y1: BASE + GAP + LANE, y2: BASE + GAP + LANE + 6 }));
    const label = element("text", { class: "time", x: left, y: HEIGHT - 4, "text-anchor": secs === 0 ? "start" : "middle" });
    label.textContent = clock(secs);
    drawn.push(label);
  }
  return drawn;
}

function marker(bucket, at, width) {
  const label = element("text", { class: "most", y: 12 });
  label.textContent = `most replayed ${clock(bucket.bucket)}, ${bucket.replay.toFixed(2)}×`;
  const room = 190;
  const toTheLeft = at + room > width;
  label.setAttribute("x", toTheLeft ? at - 9 : at + 9);
  label.setAttribute("text-anchor", toTheLeft ? "end" : "start");
  return [element("path", { class: "most", d: `M${at - 5} 4h10l-5 9z` }), label];
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
