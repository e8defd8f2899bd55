// The dashboard shows the page that the address asks for, and decides when to ask again.

import { isRefused, replace } from "./dom.js";
import { home } from "./home.js";
import { address, parse } from "./route.js";
import { signIn } from "./sign_in.js";
import { video } from "./video.js";

// Milliseconds between two questions of a page that somebody looks at: answers hold at least so long, and a failure may pass.
const MIN_WAIT = 10_000;
const MAX_WAIT = 300_000;

const main = document.querySelector("main");
const status = document.querySelector("#status");
const utcToday = () => new Date().toISOString().slice(0, 10);

/** The page shown, the question it answers, and the day on which it was built. */
let page = null;
let asked = null;
/** The part of the address that asked for that page. */
let shown = "";
let today = utcToday();

let timer = 0;
/** Counts the questions, because the answer to any but the last is late. */
let turn = 0;
let asking = false;
let failures = 0;
/** True if it is time to ask again; a page that nobody looks at waits. */
let due = false;

/** Shows the page that the address asks for. */
function show({ keepFocus }) {
  page?.close();
  const before = asked;
  shown = location.search;
  asked = parse(shown);
  today = utcToday();
  failures = 0;
  // The answer to another question about the same thing stays in sight until its successor is there.
  const stale = before && before.video === asked.video ? [...main.querySelector(".answer").childNodes] : [];
  page = (asked.video ? video : home)(main, asked, today, stale);
  // Another page is read from its top; another question on the same page leaves the reader in place.
  if (before && before.video !== asked.video && !keepFocus) main.querySelector("h1").focus({ preventScroll: true });
  refresh();
}

async function refresh() {
  clearTimeout(timer);
  due = false;
  const mine = ++turn;
  asking = true;
  let wait = MIN_WAIT;
  main.setAttribute("aria-busy", "true");
  try {
    const { life, asOf } = await page.update();
    if (mine !== turn) return;
    failures = 0;
    wait = Math.max(MIN_WAIT, life * 1000);
    status.textContent = asOf;
  } catch (problem) {
    if (mine !== turn) return;
    failures++;
    // The same key would be refused again.
    wait = isRefused(problem) ? Infinity : MIN_WAIT * 2 ** (failures - 1);
    status.textContent = isRefused(problem) ? "Not signed in" : `${problem.message}; trying again`;
  }
  asking = false;
  main.setAttribute("aria-busy", "false");
  if (wait < Infinity) timer = setTimeout(wake, Math.min(MAX_WAIT, wait), true);
}

function wake(isDue) {
  due ||= isDue;
  if (!due || document.hidden || asking) return;
  // After midnight the last seven days are other days.
  if (today === utcToday()) refresh();
  else show({ keepFocus: true });
}

/** @param {import("./route.js").Question} question */
function ask(question) {
  history.pushState(null, "", address(question));
  show({ keepFocus: false });
}

// -- what people do --

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element && event.target.closest("a");
  if (!link || link.origin !== location.origin || link.pathname !== location.pathname || link.hash || link.target || link.download) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) return;
  event.preventDefault();
  const { key } = link.dataset;
  const leaves = parse(link.search).video !== asked.video;
  history.pushState(null, "", link.href);
  show({ keepFocus: !leaves });
  if (leaves) scrollTo(0, 0);
  // The links are made anew with the page, and the one that was chosen keeps the focus.
  else [...main.querySelectorAll("[data-key]")].find((made) => made.dataset.key === key)?.focus({ preventScroll: true });
});
document.addEventListener("ask", (event) => ask(event.detail));
main.addEventListener("again", () => refresh());
document.addEventListener("sign-in", () => signIn());
document.addEventListener("signed-in", () => refresh());
addEventListener("popstate", () => {
  // A step within the page, as to its content, changes no question.
  if (location.search !== shown) show({ keepFocus: false });
});
document.addEventListener("visibilitychange", () => wake(false));

replace(main);
show({ keepFocus: true });
