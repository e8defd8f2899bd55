// Draws retention, reached and replay over the time of a video, with uPlot.

import uPlot from "./vendor/uplot/uPlot.esm.js";
import { node } from "./dom.js";
import { clock, percent, times } from "./format.js";
import { watchedLength } from "./moments.js";

const HEIGHT = 230;
const REPLAY_HEIGHT = 130;

/** Makes curves: `show` draws those of a strip, `point` moves their cursors to a time, `close` gives everything back. */
export function curves() {
  const place = node("div", { className: "curves" });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let charts = [];
  /** @type {import("./moments.js").Strip | null} */
  let strip = null;

  const draw = () => {
    const width = place.clientWidth;
    if (!width || !strip) return;
    for (const chart of charts) chart.destroy();
    charts = [];
    place.replaceChildren();
    const { buckets, viewers } = strip;
    const length = watchedLength(strip);
    const secs = buckets.map(({ bucket }) => bucket);
    const color = (name) => resolved(place, `var(${name})`);
    const tint = (name) => resolved(place, `color-mix(in srgb, var(${name}) 14%, transparent)`);
    const share = (value) => (value == null ? "–" : percent(value));
    charts.push(chart(place, {
      width, height: HEIGHT, length, color, top: 1, ticks: (value) => percent(value, 0),
      label: `Retention and reached, in percent; half of the viewers are gone by ${clock(buckets.find(({ reached }) => reached * 2 <= viewers)?.bucket ?? 0)}`,
      series: [
        { label: "Retention, of the peak", stroke: color("--accent"), fill: tint("--accent"), width: 2, value: (_, value) => share(value) },
        { label: "Reached, of all viewers", stroke: color("--quiet"), width: 2, dash: [6, 4], value: (_, value) => share(value) },
      ],
    }, [secs, buckets.map(({ retention }) => retention), buckets.map(({ reached }) => (viewers ? reached / viewers : 0))]));
    const most = Math.max(1.5, ...buckets.map(({ replay }) => replay));
    charts.push(chart(place, {
      width, height: REPLAY_HEIGHT, length, color, top: most * 1.05, ticks: (value) => `${value.toFixed(1)}×`,
      label: `Replay: how often each viewer played a moment, at most ${times(most)}`,
      series: [{ label: "Replay, per viewer", stroke: color("--replay"), fill: tint("--replay"), width: 2, value: (_, value) => (value == null ? "–" : times(value)) }],
    }, [secs, buckets.map(({ replay, viewers }) => (viewers ? replay : null))]));
  };

  let drawnWidth = 0;
  const resized = new ResizeObserver(() => {
    if (place.clientWidth === drawnWidth) return;
    drawnWidth = place.clientWidth;
    draw();
  });
  resized.observe(place);
  dark.addEventListener("change", draw);
  return {
    place,
    show(another) {
      strip = another;
      draw();
    },
    point(time) {
      for (const { cursor, setCursor, valToPos } of charts) {
        const left = time === null ? -10 : valToPos(time, "x");
        if (cursor.left !== left) setCursor({ left, top: 0 }, false);
      }
    },
    close() {
      resized.disconnect();
      dark.removeEventListener("change", draw);
      for (const chart of charts) chart.destroy();
    },
  };
}

/** Returns a colour of the page as a canvas takes it, as only style sheets know custom properties and `light-dark()`. */
export function resolved(place, color) {
  const probe = node("i");
  probe.style.color = color;
  place.append(probe);
  const { color: text } = getComputedStyle(probe);
  probe.remove();
  return text;
}

function chart(place, { width, height, length, color, top, ticks, label, series }, data) {
  const axis = { stroke: color("--quiet"), font: `12px ${getComputedStyle(place).fontFamily}`, grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1, size: 4 } };
  const figure = node("div", { className: "curve", role: "img", "aria-label": label });
  place.append(figure);
  return new uPlot({
    width, height,
    scales: { x: { time: false, range: [0, length] }, y: { range: [0, top] } },
    axes: [
      { ...axis, values: (_, splits) => splits.map(clock), size: 30, space: 64, incrs: [1, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10800, 21600] },
      { ...axis, values: (_, splits) => splits.map(ticks), size: 52, space: 28, incrs: [0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 50] },
    ],
    cursor: { y: false, sync: { key: "heatstrip" }, drag: { x: false, y: false }, points: { size: 8 } },
    series: [{ label: "At", value: (_, value) => (value == null ? "–" : clock(value)) }, ...series.map((one) => ({ ...one, points: { show: data[0].length < 3 } }))],
  }, data, figure);
}
