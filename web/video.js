// Shows one video: its strip, and what the strip says.

import "./heat-strip.js";
import { get } from "./api.js";
import { audience } from "./audience.js";
import { entries, nameOf, thumbnail } from "./catalogue.js";
import * as controls from "./controls.js";
import { counters } from "./counters.js";
import { curves } from "./curves.js";
import { dayByDay } from "./days.js";
import { definitions, failure, node, notice, replace } from "./dom.js";
import { asOf, certainty, certaintySentence, clock, dayRange, duration, number, places, scopeSentence, times, unit } from "./format.js";
import { lead } from "./lead.js";
import { ledger } from "./ledger.js";
import { describe, hotspots, MIN_VIEWERS, moments, watchedLength } from "./moments.js";
import { address, range, videoPath } from "./route.js";
import { series } from "./series.js";
import { share } from "./share.js";

/** The days are asked for again after so many milliseconds: all but the last one hardly change. */
const DAYS_AGE = 60_000;

/** What is known of the video shown last, so that another question about it begins with everything in its place. */
let known = { video: null, regions: [], entry: undefined, lead: null };

/** Makes the page of a question; `update` asks again and returns for how long the answer holds. */
export function video(main, asked, today, stale) {
  if (known.video !== asked.video) known = { video: asked.video, regions: [], entry: undefined, lead: null };
  const back = node("a", { className: "back", href: address({ ...asked, video: null }), "data-key": "back" }, "All videos");
  const title = node("h1", { tabIndex: -1 });
  const under = node("p", { className: "facts under" });
  const picture = node("div", { className: "picture" });
  const facts = node("p", { className: "facts" });
  const chips = node("div", { className: "places" }, controls.regions(asked, known.regions));
  const counted = node("div");
  const why = ledger(asked, today);
  const leading = node("div", { className: "leading" }, known.lead);
  const answer = node("div", { className: "answer" }, ...(stale.length ? stale : [skeleton()]));
  replace(main,
    node("header", { className: "head" }, back, node("div", { className: "titled" }, picture, node("div", {}, title, under))),
    leading, counted,
    node("div", { className: "controls" }, controls.days(asked, today), controls.resolution(asked)), chips, facts, answer, why.place);
  const showEntry = (entry) => {
    const name = nameOf(entry, asked.video);
    title.textContent = name;
    document.title = `${name} · heatstrip`;
    under.textContent = [name !== asked.video && asked.video, entry?.channel, entry?.published_at && `published ${dayRange(entry.published_at.slice(0, 10), entry.published_at.slice(0, 10))}`].filter(Boolean).join(" · ");
    under.hidden = !under.textContent;
    if (entry?.thumbnail_url !== known.entry?.thumbnail_url || !picture.firstChild) replace(picture, thumbnail(entry));
    picture.hidden = !picture.firstChild;
    known.entry = entry;
  };
  showEntry(known.entry);

  let shown = null;
  let figures = null;
  let asking = new AbortController();

  const showRegions = ({ body }) => {
    if (known.video !== asked.video) return;
    known.regions = body.regions;
    replace(chips, controls.regions(asked, body.regions));
  };
  const show = (strip) => {
    facts.textContent = [dayRange(strip.from, strip.to), places(strip.regions)].join(" · ");
    if (strip.buckets.length) return (figures ??= figuresOf(answer, asked, today)).show(strip);
    figures?.close();
    figures = null;
    replace(answer, nothing(asked));
  };

  return {
    async update() {
      asking.abort();
      asking = new AbortController();
      const { signal } = asking;
      const days = range(asked, today);
      const said = { region: asked.regions.join() || "GLOBAL", resolution: asked.resolution, ...days };
      // The chips are a help: the strip neither waits for them nor fails with them.
      get(videoPath(asked.video, "regions"), days, signal).then(showRegions, () => {});
      // So are the catalogue, the views and the counters, which know no days and no regions.
      entries([asked.video], signal).then(({ each }) => showEntry(each.get(asked.video)), () => {});
      lead(asked.video, signal).then((section) => replace(leading, (known.lead = section)), () => {});
      counters(asked.video, signal).then((card) => replace(counted, card), () => {});
      try {
        const { body, tag, life } = await get(videoPath(asked.video, "heatmap"), said, signal);
        if (tag === null || tag !== shown) show(body);
        shown = tag;
        return { life, asOf: asOf(body.generated_at) };
      } catch (problem) {
        if (!signal.aborted && shown === null) {
          facts.textContent = "";
          replace(answer, failure(problem, () => main.dispatchEvent(new CustomEvent("again"))));
        }
        throw problem;
      }
    },
    close() {
      asking.abort();
      why.close();
      figures?.close();
    },
  };
}

function nothing(asked) {
  const wider = node("a", { className: "button", href: address({ ...asked, regions: [], from: "", to: "", days: 0 }), "data-key": "wider" }, "Show all days, everywhere");
  return notice("empty", "Nobody watched this here", "No heartbeat of this video came from these regions in these days.", wider);
}

/** Builds the figures of a question once and fills them with each answer: whoever points at the strip goes on pointing. */
function figuresOf(answer, asked, today) {
  const asking = new AbortController();
  const lines = curves();
  const view = node("heat-strip");
  view.addEventListener("heat-strip-point", (event) => lines.point(event.detail.seconds));
  const questions = audience(view, asked, today);
  const tiles = node("div");
  const remark = node("p", { className: "remark" });
  const found = node("section", { className: "card", "aria-labelledby": "moments" });
  // The days of the question before stand here until these are there.
  const days = node("div", {}, answer.querySelector("#series")?.parentElement);
  const eachDay = node("div");
  let drawn = null;
  let daysAt = -DAYS_AGE;
  replace(answer,
    tiles,
    node("section", { className: "card strip", "aria-label": "Strip" }, view, legend(), remark, meanings()),
    node("div", { className: "beside" }, found,
      node("section", { className: "card", "aria-labelledby": "curves" }, node("h2", { id: "curves" }, "Curves"), lines.place)),
    questions.place, days, eachDay, share(asked, today));

  const showDays = (strip) => {
    if (performance.now() - daysAt < DAYS_AGE) return;
    daysAt = performance.now();
    series(asked, strip, today, asking.signal).then((made) => {
      drawn?.close();
      drawn = made;
      replace(days, made?.section);
    }, (problem) => {
      if (!asking.signal.aborted) replace(days, notice("error", "The days cannot be shown", problem.detail || problem.message));
    });
    eachDay.firstChild?.dispatchEvent(new CustomEvent("changed", { detail: strip }));
    if (!eachDay.firstChild) replace(eachDay, dayByDay(strip, asked, asking.signal));
  };
  return {
    show(strip) {
      replace(tiles, numbers(strip));
      view.data = strip;
      remark.textContent = `${scopeSentence(strip.scope)}. ${certaintySentence(strip)}`;
      replace(found, node("h2", { id: "moments" }, "Moments"), highlights(strip, view));
      lines.show(strip);
      showDays(strip);
      questions.show(strip);
    },
    close() {
      asking.abort();
      questions.close();
      lines.close();
      drawn?.close();
    },
  };
}

function numbers(strip) {
  const [hottest] = hotspots(strip);
  const peak = strip.buckets.find(({ viewers }) => viewers === strip.peak);
  const people = [unit(strip.scope, strip.viewers), number(strip.viewers), certainty(strip)];
  const others = [
    ["watch time", duration(strip.seconds_played), "repeats included, exact"],
    ["on average", clock(strip.seconds_played / Math.max(1, strip.viewers)), `of ${clock(watchedLength(strip))}`],
    ["peak", number(strip.peak), `at ${clock(peak?.bucket ?? 0)}, ${certainty(strip)}`],
    ["most replayed", hottest ? times(hottest.value) : "–", hottest ? `per viewer, at ${clock(hottest.at)}` : "nothing stands out"],
  ];
  // People lead. Over several salt epochs it is not people that are counted, and what is counted comes last.
  return definitions("numbers", strip.scope === "viewers" ? [people, ...others] : [...others, people]);
}

const legend = () => node("ul", { className: "legend", "aria-label": "Legend" },
  ...[["heat", "viewers, by height and heat"], ["reached", "reached this point or a later one"], ["replay", "watched again"]].map(([name, text]) =>
    node("li", {}, node("span", { className: `key ${name}` }), text)));

/** Explains the words to whoever asks. */
const meanings = () => node("details", { className: "meanings" }, node("summary", {}, "What these numbers mean"),
  definitions("meanings", [
    ["viewers", "Different people present in a stretch. A person counts once, in however many regions, within the scope that is said."],
    ["retention", "The viewers of a stretch by those of the fullest one, the peak."],
    ["reached", "Who was present in a stretch or in any later one: whoever is not has left for good."],
    ["replay", "How often, on average, its viewers played a stretch: 1× is once, what is above was watched again."],
    ["parts", "They do not add up to the whole: who watched in two regions, or two stretches, is one person in their union."],
  ]));

function highlights(strip, view) {
  const found = moments(strip);
  const items = found.map((moment) => {
    const [what, how] = describe(moment);
    const button = node("button", { type: "button", className: `moment ${moment.kind}`, "data-key": `moment-${moment.kind}-${moment.from}` },
      node("b", {}, what), node("span", {}, how));
    // Pointing at the words points at the strip too.
    for (const event of ["pointerenter", "focus", "click"]) button.addEventListener(event, () => view.pointAt(moment.from));
    for (const event of ["pointerleave", "blur"]) button.addEventListener(event, () => view.pointAt(null));
    return node("li", {}, button);
  });
  if (items.length) return node("ol", { className: "moments" }, ...items);
  return node("p", { className: "quiet" }, strip.viewers < MIN_VIEWERS
    ? `Too few viewers to name moments: they are named from ${MIN_VIEWERS} on.`
    : "The video is too short at this bucket to name moments: choose a finer one.");
}

const skeleton = () => node("div", { className: "skeleton", role: "status", "aria-label": "Loading" },
  node("div", { className: "card tall" }, node("i")), node("div", { className: "card" }, node("i"), node("i")));
