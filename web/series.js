// The days of a video as a series, and those of the period before beside them: one question, one answer.

import uPlot from "./vendor/uplot/uPlot.esm.js";
import { get } from "./api.js";
import { resolved } from "./curves.js";
import { definitions, node } from "./dom.js";
import { addDays, dayName, daysBetween, duration, number, percent } from "./format.js";
import { range, videoPath } from "./route.js";

const HEIGHT = 220;
/** The API answers at most so many days at once. */
const MOST_DAYS = 1100;

/**
 * Asks for the days of a question and as many before them; null for a single day or for days that nobody can name.
 * @param {import("./route.js").Question} asked @param {{from: string | null, to: string | null}} strip @param {string} today
 */
export async function series(asked, strip, today, signal) {
  const said = range(asked, today);
  const [from, to] = [said.from || strip.from, said.to || strip.to || today];
  if (!from || !to) return null;
  const days = daysBetween(from, to, MOST_DAYS / 2);
  if (days.length < 2) return null;
  const before = addDays(days[0], -days.length);
  const { body } = await get(videoPath(asked.video, "days"), { region: asked.regions.join(), from: before, to }, signal);
  const [former, latter] = [body.days.slice(0, days.length), body.days.slice(days.length)];
  return chart(former, latter, body);
}

/** Makes the section; it is drawn once it has a width. @returns {{section: HTMLElement, close: () => void}} */
function chart(former, latter, { exact, relative_error }) {
  const has = (name) => latter.some((day) => day[name] != null);
  const lines = [...(has("views") ? ["views"] : []), "viewers"];
  const place = node("div", { className: "series" });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let charts = [];
  const close = () => charts.splice(0).forEach((one) => one.destroy());
  const draw = () => {
    const width = place.clientWidth;
    if (!width) return;
    close();
    place.replaceChildren();
    charts = lines.map((name) => plot(place, name, former, latter, width));
  };
  let drawnWidth = 0;
  const resized = new ResizeObserver(() => {
    if (place.clientWidth === drawnWidth) return;
    drawnWidth = place.clientWidth;
    draw();
  });
  resized.observe(place);
  dark.addEventListener("change", draw);
  const section = node("section", { className: "card", "aria-labelledby": "series" },
    node("h2", { id: "series" }, `${latter.length} days, and the ${latter.length} before`),
    definitions("compared", comparisons(former, latter, has("views"))),
    place,
    node("p", { className: "remark" }, "Within a day everybody counts once, so the viewers of days do not add up to people. "
      + (exact ? "Viewers are exact." : `Viewers are estimates, ± ${percent(relative_error)}.`)
      + (former.some(({ viewers }) => viewers === null) ? " Days that are not kept any more are left out." : "")));
  return {
    section,
    close() {
      resized.disconnect();
      dark.removeEventListener("change", draw);
      close();
    },
  };
}

const sum = (days, name) => days.reduce((all, day) => all + (day[name] ?? 0), 0);

/** Puts each period beside the one before. Viewers of days are no people, so they are averaged and never added. */
function comparisons(former, latter, hasViews) {
  const entry = (name, now, then, write) => [name, write(now), then ? `${change(now, then)} (${write(then)} before)` : "nothing before"];
  const aDay = (days) => sum(days, "viewers") / Math.max(1, days.filter(({ viewers }) => viewers !== null).length);
  return [
    ...(hasViews ? [entry("views", sum(latter, "views"), sum(former, "views"), number)] : []),
    entry("watch time", sum(latter, "seconds_played"), sum(former, "seconds_played"), duration),
    entry("viewers a day", aDay(latter), aDay(former), (value) => number(Math.round(value))),
  ];
}

function change(now, then) {
  const share = now / then - 1;
  if (Math.abs(share) < 0.0005) return "unchanged";
  return `${share > 0 ? "+" : "−"}${percent(Math.abs(share), Math.abs(share) < 0.1 ? 1 : 0)}`;
}

function plot(place, name, former, latter, width) {
  const color = (property) => resolved(place, property);
  const column = (list) => list.map((day) => day[name] ?? null);
  const highest = latter.reduce((most, day) => ((day[name] ?? -1) > (most[name] ?? -1) ? day : most), latter[0]);
  const axis = { stroke: color("var(--quiet)"), font: `12px ${getComputedStyle(place).fontFamily}`, ticks: { stroke: color("var(--line)"), width: 1, size: 4 } };
  const figure = node("div", { className: "curve", role: "img", "aria-label": `${name} by day: at most ${number(highest[name] ?? 0)}, on ${dayName(highest.day)}` });
  place.append(figure);
  const count = (_, value) => (value == null ? "–" : number(value));
  const shortName = (index) => dayName(latter[index].day).replace(/^\w+,? /, "");
  return new uPlot({
    width, height: HEIGHT,
    scales: { x: { time: false, range: [0, latter.length - 1] }, y: { range: (_, __, most) => [0, Math.max(4, (most ?? 0) * 1.1)] } },
    axes: [
      { ...axis, grid: { show: false }, size: 30, space: 64, incrs: [1, 2, 7, 14, 28, 91, 182], values: (_, splits) => splits.map((index) => (latter[index] ? shortName(index) : "")) },
      { ...axis, grid: { stroke: color("var(--line)"), width: 1 }, size: 56, space: 36, values: (_, splits) => splits.map((split) => (Number.isInteger(split) ? number(split) : "")) },
    ],
    cursor: { y: false, sync: { key: "heatstrip-days" }, drag: { x: false, y: false } },
    series: [
      { label: "Day", value: (_, index) => (latter[index] ? dayName(latter[index].day) : "–") },
      { label: name[0].toUpperCase() + name.slice(1), stroke: color("var(--accent)"), fill: color("color-mix(in srgb, var(--accent) 14%, transparent)"), width: 2, value: count, points: { show: latter.length < 40 } },
      { label: `${latter.length} days before`, stroke: color("var(--quiet)"), width: 1.5, dash: [5, 4], value: count, points: { show: false } },
    ],
  }, [latter.map((_, index) => index), column(latter), column(former)], figure);
}
