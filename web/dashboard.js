// The dashboard: which video, which question, and what the API answers. What comes from people (video ids, regions)
// goes into the page as text and into addresses percent-encoded, never as markup.

import { clock, drawStrip, mostReplayed } from "/strip_view.js";

const REFRESH_MS = 10_000;
const ASKED = ["region", "resolution", "from", "to"];
const DEFAULTS = { region: "GLOBAL", resolution: "5", from: "", to: "" };

const $ = (selector) => document.querySelector(selector);
const page = {
  panel: $(".strip"), video: $("#video"), covers: $("#covers"), asked: $("#asked"), message: $("#message"),
  answer: $("#answer"), numbers: $("#numbers"), chart: $("#chart"), readout: $("#readout"),
  videos: $("#videos"), videosCover: $("#videos-cover"), asOf: $("#as-of"),
};

// What is on the page: the strip, its drawing, and the bucket pointed at (null: none).
let strip = null;
let view = null;
let pointed = null;
// The load under way, so that a newer question can end it; null: none.
let loading = null;

// -- the question: it lives in the address, so that a link shows what its sender saw --

function question() {
  const address = new URLSearchParams(location.search);
  const asked = Object.fromEntries(ASKED.map((name) => [name, address.get(name) || DEFAULTS[name]]));
  return { v: address.get("v"), ...asked };
}

function addressOf(asked) {
  const address = new URLSearchParams();
  if (asked.v) address.set("v", asked.v);
  for (const name of ASKED) if (asked[name] && asked[name] !== DEFAULTS[name]) address.set(name, asked[name]);
  return `?${address}`;
}

function ask(asked, { push }) {
  history[push ? "pushState" : "replaceState"](null, "", addressOf(asked));
  load({ fresh: true });
}

function showQuestion(asked) {
  for (const name of ASKED) {
    const field = page.asked.elements[name];
    if (name === "resolution" && ![...field.options].some((option) => option.value === asked[name])) {
      field.add(new Option(`${asked[name]} s`, asked[name]));
    }
    if (field !== document.activeElement) field.value = name === "region" && asked.region === "GLOBAL" ? "" : asked[name];
  }
}

// -- the answers --

async function get(path, parameters, signal) {
  const filled = Object.entries(parameters).filter(([, value]) => value);
  let response;
  try {
    response = await fetch(`${path}?${new URLSearchParams(filled)}`, { signal, headers: { accept: "application/json" } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server cannot be reached", { cause: "This page tries again every ten seconds." });
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body) return body;
  throw new Error(body?.title ?? `The server answered ${response.status}`, { cause: body?.detail ?? "" });
}

const heatmap = ({ v, ...asked }, signal) => get(`/v1/videos/${encodeURIComponent(v)}/heatmap`, asked, signal);

/** Asks again. `fresh`: for something else than what is shown, so what is shown no longer counts. */
async function load({ fresh }) {
  loading?.abort();
  const mine = loading = new AbortController();
  const asked = question();
  const { v, resolution, ...range } = asked;
  showQuestion(asked);
  if (fresh) page.panel.setAttribute("aria-busy", "true");
  if (fresh && strip?.video_id !== v) title(v ?? "Loading…", []);
  try {
    const list = get("/v1/videos", { limit: 50, ...range }, mine.signal);
    let [videos, answer] = await Promise.all([list, v && heatmap(asked, mine.signal)]);
    if (!v && videos.videos.length > 0) {
      asked.v = videos.videos[0].video_id;
      history.replaceState(null, "", addressOf(asked));
      answer = await heatmap(asked, mine.signal);
    }
    showVideos(videos, asked);
    if (answer) showStrip(answer);
    else showNothing(asked);
  } catch (error) {
    if (error.name === "AbortError") return;
    // A strip that was right ten seconds ago is better than none.
    if (strip && !fresh) page.asOf.textContent = `${error.message}; shown: ${asOf(strip)}`;
    else showProblem(asked, error);
  } finally {
    if (loading === mine) {
      loading = null;
      page.panel.setAttribute("aria-busy", "false");
    }
  }
}

// -- the video list --

let listed = "";

function showVideos(list, asked) {
  page.videosCover.textContent = `${days(list)} · ${list.regions.join(", ")}\n${list.scope}, ${certainty(list)}`;
  // Rebuilt only when it changed: a refresh must not take the focus away.
  const now = JSON.stringify([list.videos, asked]);
  if (now === listed) return;
  listed = now;
  const focused = document.activeElement?.dataset?.video;
  const most = Math.max(1, ...list.videos.map((video) => video.viewers));
  const rows = list.videos.map((video) => {
    const link = node("a", { href: addressOf({ ...asked, v: video.video_id }) });
    link.dataset.video = video.video_id;
    if (video.video_id === asked.v) link.setAttribute("aria-current", "true");
    link.style.setProperty("--share", `${(100 * video.viewers) / most}%`);
    link.append(
      node("span", { className: "id" }, video.video_id),
      node("span", { className: "count" }, number(video.viewers)),
      node("span", { className: "meta" }, `${hours(video.seconds_played)} watched · up to ${clock(video.last_sec)}`),
    );
    const row = node("li");
    row.append(link);
    return row;
  });
  page.videos.replaceChildren(...(rows.length ? rows : [node("li", { className: "none" }, "Nothing in these days.")]));
  if (focused) [...page.videos.querySelectorAll("a")].find((link) => link.dataset.video === focused)?.focus();
}

page.videos.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  ask({ ...question(), v: link.dataset.video }, { push: true });
});

// -- the strip --

function showStrip(answer) {
  const sameQuestion = strip && ["video_id", "resolution"].every((field) => strip[field] === answer[field]);
  strip = answer;
  if (!sameQuestion) pointed = null;
  title(strip.video_id, [days(strip), strip.regions.join(", ")]);
  page.asOf.textContent = asOf(strip);
  if (strip.buckets.length === 0) {
    return say("Nobody has watched this here yet", "No heartbeat of this video in these regions and days. Widen the range, or press play.");
  }
  say(null);
  const peak = strip.buckets.find((bucket) => bucket.viewers === strip.peak);
  const most = mostReplayed(strip);
  definitions(page.numbers, [
    [unit(strip.scope, strip.viewers), number(strip.viewers), certainty(strip)],
    ["peak", number(strip.peak), `at ${clock(peak?.bucket ?? 0)}, ${certainty(strip)}`],
    ["watch time", hours(strip.seconds_played), "repeats included"],
    ["most replayed", most ? clock(most.bucket) : "–", most ? `${most.replay.toFixed(2)}× per viewer` : "nothing stands out"],
  ]);
  draw();
}

function draw() {
  if (!strip?.buckets.length || page.answer.hidden) return;
  view = drawStrip(strip, Math.max(120, page.chart.clientWidth));
  page.chart.replaceChildren(view.svg);
  page.chart.setAttribute("aria-valuemax", strip.buckets.length - 1);
  point(pointed);
}

function point(index) {
  pointed = index === null ? null : Math.min(strip.buckets.length - 1, Math.max(0, index));
  view.point(pointed);
  const bucket = strip.buckets[pointed];
  const facts = bucket && [
    ["time", clock(bucket.bucket)],
    [unit(strip.scope, bucket.viewers), number(bucket.viewers)],
    ["retention", percent(bucket.retention)],
    ["replay", `${bucket.replay.toFixed(2)}×`],
    ["reached", number(bucket.reached)],
  ];
  definitions(page.readout, facts ?? [["Point at the strip for the numbers of one bucket,", "or focus it and use the arrow keys."]]);
  page.chart.setAttribute("aria-valuenow", pointed ?? 0);
  page.chart.setAttribute("aria-valuetext", facts ? facts.map(([name, value]) => `${name} ${value}`).join(", ") : "no position");
}

for (const moved of ["pointermove", "pointerdown"]) {
  page.chart.addEventListener(moved, (event) => {
    if (view) point(view.indexAt(event.clientX - page.chart.getBoundingClientRect().left));
  });
}
page.chart.addEventListener("pointerleave", (event) => {
  if (view && event.pointerType === "mouse") point(null);
});
page.chart.addEventListener("keydown", (event) => {
  if (!view) return;
  const last = strip.buckets.length - 1;
  const leap = Math.max(1, Math.round(last / 20));
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -leap, PageUp: leap }[event.key];
  if (step) point(pointed === null ? (step > 0 ? 0 : last) : pointed + step);
  else if (event.key === "Home") point(0);
  else if (event.key === "End") point(last);
  else if (event.key === "Escape") point(null);
  else return;
  event.preventDefault();
});

// -- words instead of a strip --

function showProblem(asked, problem) {
  strip = null;
  title(asked.v ?? "No answer", []);
  page.asOf.textContent = "";
  say(problem.message, problem.cause, { error: true });
}

function showNothing(asked) {
  strip = null;
  title("No video yet", []);
  page.asOf.textContent = "";
  if (["region", "from", "to"].some((name) => asked[name] !== DEFAULTS[name])) {
    return say("Nobody watched anything in these regions and days", "Widen the range to see more.");
  }
  say("Nobody has watched anything here yet", "Heartbeats show up on this page within seconds. Send the first one:", {
    code: `curl ${location.origin}/v1/heartbeats -H 'content-type: application/json' \\\n`
      + `  -d '{"video_id":"my-first-video","viewer_id":"me","start_sec":0,"end_sec":29}'`,
  });
}

/** Shows a message in the place of the answer; null shows the answer again. */
function say(headline, detail = "", { error = false, code = "" } = {}) {
  page.message.hidden = headline === null;
  page.answer.hidden = headline !== null;
  page.message.classList.toggle("error", error);
  page.message.querySelector("strong").textContent = headline ?? "";
  page.message.querySelector("p").textContent = detail;
  page.message.querySelector("pre").textContent = code;
  page.message.querySelector("pre").hidden = !code;
}

function title(text, facts) {
  page.video.textContent = text;
  page.covers.textContent = facts.filter(Boolean).join(" · ") || "\u00a0";
  document.title = `${text} · heatstrip`;
}

// -- text --

const number = (value) => value.toLocaleString("en");
const percent = (share) => `${(share * 100).toFixed(1)} %`;
const certainty = ({ exact, relative_error }) => (exact ? "exact" : `± ${(relative_error * 100).toFixed(1)} %`);
const unit = (scope, count) => (count === 1 ? scope.replace(/s$/, "") : scope);
const days = ({ from, to }) => (from === to ? from : `${from} to ${to}`);
const asOf = ({ generated_at }) => (generated_at ? `as of ${generated_at.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC")}` : "");

function hours(secs) {
  if (secs < 60) return `${secs} s`;
  const minutes = Math.floor(secs / 60);
  return minutes < 60 ? `${minutes} m` : `${number(Math.floor(minutes / 60))} h ${String(minutes % 60).padStart(2, "0")} m`;
}

function node(name, properties = {}, text = "") {
  return Object.assign(document.createElement(name), properties, { textContent: text });
}

/** Fills a `<dl>` with `[name, value, remark]`. */
function definitions(list, entries) {
  list.replaceChildren(...entries.map(([name, value, remark]) => {
    const group = node("div");
    group.append(node("dt", {}, name), node("dd", {}, value));
    if (remark) group.append(node("dd", { className: "remark" }, remark));
    return group;
  }));
}

// -- when to ask --

page.asked.addEventListener("submit", (event) => event.preventDefault());
page.asked.addEventListener("change", () => {
  const fields = Object.fromEntries(new FormData(page.asked));
  fields.region = fields.region.toUpperCase().replace(/[\s,]+/g, ",").replace(/^,|,$/g, "");
  ask({ v: question().v, ...fields }, { push: false });
});
addEventListener("popstate", () => load({ fresh: true }));
document.addEventListener("visibilitychange", () => document.hidden || loading || load({ fresh: false }));
// A slow answer is waited for, not asked for again.
setInterval(() => document.hidden || loading || load({ fresh: false }), REFRESH_MS);
new ResizeObserver(draw).observe(page.chart);
load({ fresh: true });
