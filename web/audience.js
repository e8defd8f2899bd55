// Questions about the audience of a video: drag over the strip, then "saw this" or "missed this". The answer is a bar with
// its interval and a sentence; and whoever left at a place is followed to where they came back.

import { get, getLater } from "./api.js";
import { node, replace } from "./dom.js";
import { clock, number, percent, stretch, unit } from "./format.js";
import { watchedLength } from "./moments.js";
import { range, videoPath } from "./route.js";

/** The API takes so many conditions. */
const MAX_CONDITIONS = 10;
/** What comes after a place is looked at in so many parts. */
const PARTS = 8;
/** A shorter drag, in pixels, is a click, which seeks. */
const MIN_DRAG = 6;

/** @typedef {{kind: "saw" | "missed", from: number, to: number}} Condition both ends included */

/** The conditions of the video shown last: other days and regions are asked the same. */
let kept = { video: null, conditions: /** @type {Condition[]} */ ([]) };

/** Reads a time as people write it: `90`, `1:30` or `1:00:00`; null if it is none. @param {string} text */
export function readClock(text) {
  if (!/^\d+(:\d{1,2}){0,2}$/.test(text.trim())) return null;
  return text.trim().split(":").reduce((secs, part) => secs * 60 + Number(part), 0);
}

/** Says conditions as a sentence goes on. @param {Condition[]} conditions */
export function said(conditions) {
  const parts = conditions.map(({ kind, from, to }) => `${kind} ${stretch(from, to)}`);
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

/** Returns the answer in two sentences. @param {object} answer @param {Condition[]} conditions */
export function sentences(answer, conditions) {
  if (answer.refused) {
    return [`There is no answer: only ${number(answer.sampled)} of the viewers are sampled, too few to say anything.`, ""];
  }
  const { viewers, of, low, high, share, share_low, share_high } = answer;
  const first = `${number(viewers)} of ${number(of)} ${unit(answer.scope, of)} (${percent(share)}) ${said(conditions)}.`;
  if (answer.exact) return [first, "Exact: everybody was counted."];
  return [first, `An estimate from ${number(answer.sampled)} sampled viewers: with ${percent(answer.confidence, 0)} confidence `
    + `${number(low)} to ${number(high)}, ${percent(share_low)} to ${percent(share_high)}.`];
}

/**
 * Cuts what comes after a place into parts, and returns for each the conditions of whoever left there and came back in it
 * first; the last are those who did not come back.
 * @param {number} from @param {number} to @param {number} end the last second of the video
 */
export function returns(from, to, end) {
  const rest = end - to;
  const parts = Math.min(PARTS, Math.floor(rest / 2));
  if (parts < 2) return [];
  const edge = (part) => to + 1 + Math.floor((rest * part) / parts);
  const here = { kind: "saw", from, to };
  const found = [];
  for (let part = 1; part < parts; part++) {
    const back = { kind: "saw", from: edge(part), to: edge(part + 1) - 1 };
    found.push({ back, conditions: [here, { kind: "missed", from: to + 1, to: back.from - 1 }, back] });
  }
  return [...found, { back: null, conditions: [here, { kind: "missed", from: to + 1, to: end }] }];
}

/** The API's parameters: a name may come several times. @param {Condition[]} conditions */
const asParameters = (conditions) => conditions.map(({ kind, from, to }) => [kind, `${from}-${to}`]);

/** Makes the section of a question; `view` is the strip to drag over. */
export function audience(view, asked, today) {
  if (kept.video !== asked.video) kept = { video: asked.video, conditions: [] };
  let strip = null;
  let asking = new AbortController();
  const path = videoPath(asked.video, "audience");
  const everywhere = Object.entries({ region: asked.regions.join(), ...range(asked, today) });
  const ask = (how, conditions, signal) => how(path, [...everywhere, ...asParameters(conditions)], signal);

  const [first, last] = ["0:00", "0:30"].map((placeholder) =>
    node("input", { type: "text", inputMode: "numeric", size: 7, placeholder, "data-key": `audience-${placeholder}` }));
  const mark = node("div", { className: "range-mark", hidden: true, "aria-hidden": "true" });
  const chosen = node("ul", { className: "conditions", "aria-label": "Conditions" });
  const answer = node("div", { className: "audience-answer", role: "status" });
  const followed = node("div", { className: "returns" });
  const button = (key, text, act) => {
    const made = node("button", { type: "button", "data-key": `audience-${key}` }, text);
    made.addEventListener("click", act);
    return made;
  };

  /** The chosen seconds, or null. */
  const selected = () => {
    const [from, to] = [readClock(first.value), readClock(last.value)];
    return from === null || to === null || from > to ? null : { from, to };
  };
  const showMark = () => {
    const secs = selected();
    mark.hidden = !secs || !strip;
    if (mark.hidden) return;
    const span = strip.buckets.length * strip.resolution;
    const x = (at) => (Math.min(at, span) / span) * view.clientWidth;
    Object.assign(mark.style, {
      left: `${view.offsetLeft + x(secs.from)}px`, width: `${Math.max(2, x(secs.to + 1) - x(secs.from))}px`,
      top: `${view.offsetTop}px`, height: `${view.clientHeight}px`,
    });
  };
  const select = (from, to) => {
    first.value = clock(from);
    last.value = clock(to);
    showMark();
  };
  const add = (kind) => {
    const secs = selected();
    if (!secs) return showProblem("Choose a part of the video first: drag over the strip, or write when it begins and ends.");
    if (kept.conditions.length >= MAX_CONDITIONS) return showProblem(`A question has at most ${MAX_CONDITIONS} conditions.`);
    kept.conditions.push({ kind, ...secs });
    showConditions();
    return update();
  };
  const showProblem = (text) => replace(answer, node("p", { className: "quiet" }, text));
  const showConditions = () => replace(chosen, ...kept.conditions.map((condition, index) =>
    node("li", {}, button(`drop-${index}`, `${said([condition])} ×`, () => {
      kept.conditions.splice(index, 1);
      showConditions();
      update();
    }))));

  async function update() {
    asking.abort();
    asking = new AbortController();
    replace(followed);
    if (!kept.conditions.length) return replace(answer);
    const { signal } = asking;
    const conditions = [...kept.conditions];
    try {
      const { body } = await ask(get, conditions, signal);
      const [says, how] = sentences(body, conditions);
      return replace(answer, body.refused ? null : bar(body), node("p", {}, says), how && node("p", { className: "quiet" }, how));
    } catch (problem) {
      return signal.aborted ? undefined : showProblem(problem.detail || problem.message);
    }
  }

  async function follow() {
    const secs = selected();
    if (!secs || !strip) return showProblem("Choose the part of the video they left in: drag over the strip.");
    const found = returns(secs.from, secs.to, Math.ceil(watchedLength(strip)) - 1);
    if (!found.length) return replace(followed, node("p", { className: "quiet" }, "Too little of the video comes after that."));
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    replace(followed, node("p", { className: "quiet" }, "Asking…"));
    try {
      const answers = await Promise.all(found.map(async ({ back, conditions }) => ({ back, ...(await ask(getLater, conditions, signal)).body })));
      return replace(followed, came(secs, answers));
    } catch (problem) {
      return signal.aborted ? undefined : replace(followed, node("p", { className: "quiet" }, problem.detail || problem.message));
    }
  }

  const close = draggable(view, () => strip, select);
  addEventListener("resize", showMark);
  for (const field of [first, last]) field.addEventListener("input", showMark);
  const place = node("section", { className: "card audience", "aria-labelledby": "audience" },
    node("h2", { id: "audience" }, "Who saw this, and missed that?"),
    node("p", { className: "quiet" }, "Drag over the strip above, or write when a part begins and ends."),
    node("div", { className: "asking" },
      node("label", {}, "Begins at", first), node("label", {}, "Ends at", last),
      button("saw", "Saw this", () => add("saw")), button("missed", "Missed this", () => add("missed")),
      button("left", "Left here: where did they come back?", follow)),
    chosen, answer, followed);
  showConditions();

  return {
    place,
    /** Hears of every new strip, and asks again what was asked. */
    show(made) {
      strip = made;
      if (!mark.isConnected) view.after(mark);
      showMark();
      if (kept.conditions.length) update();
    },
    close() {
      asking.abort();
      close();
      removeEventListener("resize", showMark);
    },
  };
}

/** Lets a drag over the strip choose seconds; what is shorter stays the strip's own. Returns what ends it. */
function draggable(view, strip, select) {
  const listening = new AbortController();
  let began = null;
  const second = (event) => {
    const { buckets, resolution } = strip();
    const box = view.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    return Math.min(buckets.length - 1, Math.floor(part * buckets.length)) * resolution;
  };
  const listen = (target, name, heard, more) => target.addEventListener(name, heard, { signal: listening.signal, ...more });
  listen(view, "pointerdown", (event) => {
    if (event.button === 0 && strip()) began = { x: event.clientX, second: second(event), dragged: false };
  });
  listen(window, "pointermove", (event) => {
    if (!began) return;
    began.dragged ||= Math.abs(event.clientX - began.x) >= MIN_DRAG;
    if (!began.dragged) return;
    const here = second(event);
    select(Math.min(began.second, here), Math.max(began.second, here) + strip().resolution - 1);
  });
  // The click behind a drag would seek.
  listen(view, "click", (event) => {
    if (began?.dragged) event.stopImmediatePropagation();
    began = null;
  }, { capture: true });
  for (const name of ["pointerup", "pointercancel"]) {
    listen(window, name, () => setTimeout(() => (began = null)));
  }
  return () => listening.abort();
}

/** Draws the share with its interval. */
function bar({ share, share_low, share_high }) {
  const shown = node("div", { className: "share-bar", role: "img", "aria-label": `${percent(share)}, between ${percent(share_low)} and ${percent(share_high)}` },
    node("i", { className: "part" }), node("i", { className: "interval" }));
  shown.style.setProperty("--share", `${share * 100}%`);
  shown.style.setProperty("--low", `${share_low * 100}%`);
  shown.style.setProperty("--high", `${share_high * 100}%`);
  return shown;
}

/** Shows where they came back, as parts of those who left. */
function came({ from, to }, answers) {
  if (answers.some(({ refused }) => refused)) {
    return node("p", { className: "quiet" }, "There is no answer: too few of the viewers are sampled.");
  }
  const left = answers.reduce((sum, { viewers }) => sum + viewers, 0);
  if (left === 0) return node("p", { className: "quiet" }, `Nobody left at ${stretch(from, to)}.`);
  const exact = answers.every((answer) => answer.exact);
  const rows = answers.map(({ back, viewers, low, high }) => {
    const row = node("li", {},
      node("span", {}, back ? stretch(back.from, back.to) : "not any more"),
      node("i", {}),
      node("span", { className: "count" }, exact ? number(viewers) : `${number(viewers)} (${number(low)}–${number(high)})`));
    row.style.setProperty("--share", `${(viewers / left) * 100}%`);
    return row;
  });
  return node("div", {},
    node("h3", {}, `Left at ${stretch(from, to)}: ${exact ? "" : "about "}${number(left)}. They came back first at`),
    node("ol", { className: "came-back" }, ...rows));
}
