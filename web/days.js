// Shows a small strip for each day, all on one scale, so that days can be told apart at a glance.

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
 * Returns the days of a strip's range, and none for a single day.
 * @param {import("./route.js").Question} asked @param {AbortSignal} signal
 */
export async function dayByDay(strip, asked, signal) {
  if (!strip.from || strip.from === strip.to) return null;
  const days = daysBetween(strip.from, strip.to, MOST_DAYS);
  const length = strip.buckets.length * strip.resolution;
  const resolution = RESOLUTIONS.find((secs) => length <= secs * BARS) ?? RESOLUTIONS.at(-1);
  const said = { region: asked.regions.join(), resolution };
  const strips = await Promise.all(days.map((day) =>
    getLater(videoPath(asked.video, "heatmap"), { ...said, from: day, to: day }, signal).then(({ body }) => body)));

  // Days before the first viewer are no news.
  const first = Math.max(0, strips.findIndex(({ viewers }) => viewers > 0));
  if (first === days.length - 1) return null;
  const most = Math.max(1, ...strips.map(({ peak }) => peak));
  const multiples = strips.slice(first).map((one, since) => {
    const day = days[first + since];
    const spark = one.buckets.length ? drawSpark(padded(one, length), most) : null;
    return node("a", { className: "day", href: address({ ...asked, days: 0, from: day, to: day }), "data-key": `day-${day}` },
      node("span", { className: "name" }, dayName(day)),
      node("span", { className: "spark-place" }, spark),
      node("span", { className: "count" }, one.viewers ? `${number(one.viewers)} ${unit(one.scope, one.viewers)}` : "nobody"));
  });
  const section = node("section", { className: "card", "aria-labelledby": "day-by-day" });
  replace(section,
    node("h2", { id: "day-by-day" }, "Day by day"),
    node("div", { className: "days" }, ...multiples),
    node("p", { className: "remark" }, `One scale for all, up to ${number(most)}. Within a day everybody counts once.`
      + (days[0] === strip.from ? "" : ` The last ${MOST_DAYS} days are shown.`)));
  return section;
}

/** Returns a day's strip as long as that of all days, so that one second stands at one place in each. */
function padded(strip, length) {
  const missing = Math.ceil(length / strip.resolution) - strip.buckets.length;
  return { ...strip, buckets: [...strip.buckets, ...Array(Math.max(0, missing)).fill({ viewers: 0, replay: 0 })] };
}
