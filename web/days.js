// Shows a small strip for each day, all on one scale, so that days can be told apart at a glance. They are many questions, so
// they are asked when somebody wants to see them.

import { getLater } from "./api.js";
import { node, replace } from "./dom.js";
import { dayName, daysBetween, number, unit } from "./format.js";
import { address, videoPath } from "./route.js";
import { drawSpark } from "./strip_view.js";

const MOST_DAYS = 28;
/** A small strip has about this many bars. */
const BARS = 48;
const RESOLUTIONS = [5, 10, 15, 30, 60, 120, 300, 600, 1800];

/**
 * Offers the days of a strip's range, and nothing for a single day.
 * @param {import("./route.js").Question} asked @param {AbortSignal} signal
 */
export function dayByDay(strip, asked, signal) {
  if (!strip.from || strip.from === strip.to) return null;
  const place = node("div");
  const details = node("details", { className: "card fold" }, node("summary", { "data-key": "day-by-day" }, node("h2", {}, "The strip of each day")), place);
  let shown = null;
  const show = async () => {
    if (!details.open || shown === strip) return;
    shown = strip;
    try {
      const made = await multiples(strip, asked, signal);
      if (shown) replace(place, ...made);
    } catch (problem) {
      shown = null;
      if (!signal.aborted) replace(place, node("p", { className: "quiet", role: "alert" }, `The days cannot be shown: ${problem.detail || problem.message}`));
    }
  };
  details.addEventListener("toggle", show);
  details.addEventListener("changed", ({ detail }) => {
    strip = detail;
    show();
  });
  return details;
}

async function multiples(strip, asked, signal) {
  const days = daysBetween(strip.from, strip.to, MOST_DAYS);
  const length = strip.buckets.length * strip.resolution;
  const resolution = RESOLUTIONS.find((secs) => length <= secs * BARS) ?? RESOLUTIONS.at(-1);
  const said = { region: asked.regions.join(), resolution };
  const strips = await Promise.all(days.map((day) =>
    getLater(videoPath(asked.video, "heatmap"), { ...said, from: day, to: day }, signal).then(({ body }) => body)));

  // Days before the first viewer are no news.
  const first = Math.max(0, strips.findIndex(({ viewers }) => viewers > 0));
  const most = Math.max(1, ...strips.map(({ peak }) => peak));
  const made = strips.slice(first).map((one, since) => {
    const day = days[first + since];
    const spark = one.buckets.length ? drawSpark(padded(one, length), most) : null;
    return node("a", { className: "day", href: address({ ...asked, days: 0, from: day, to: day }), "data-key": `day-${day}` },
      node("span", { className: "name" }, dayName(day)),
      node("span", { className: "spark-place" }, spark),
      node("span", { className: "count" }, one.viewers ? `${number(one.viewers)} ${unit(one.scope, one.viewers)}` : "nobody"));
  });
  return [
    node("div", { className: "days" }, ...made),
    node("p", { className: "remark" }, `One scale for all, up to ${number(most)}. Within a day everybody counts once.`
      + (days[0] === strip.from ? "" : ` The last ${MOST_DAYS} days are shown.`)),
  ];
}

/** Returns a day's strip as long as that of all days, so that one second stands at one place in each. */
function padded(strip, length) {
  const missing = Math.ceil(length / strip.resolution) - strip.buckets.length;
  return { ...strip, buckets: [...strip.buckets, ...Array(Math.max(0, missing)).fill({ viewers: 0, replay: 0 })] };
}
