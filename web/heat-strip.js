// `<heat-strip>` shows a strip on any page, as docs/component.md tells. It needs this file and those it imports.
//
// Texts that come from people (video ids, the server's messages) go into the page as text, never as markup.

import { clock, number, percent, stretch, times, unit } from "./format.js";
import { style } from "./heat_strip_style.js";
import { clamp, drawStrip, grouped } from "./strip_view.js";

/** The answers are where this file came from, unless `endpoint` says otherwise. */
const HOME = new URL(".", import.meta.url).href;
const QUESTION = ["region", "resolution", "from", "to", "key"];
/** The table for screen readers has at most this many rows: nobody would read more. */
const MAX_ROWS = 120;
/** From this height in pixels on the tooltip has room inside. */
const MIN_INSIDE = 200;
// Seconds between two questions of a `live` strip: never less, whatever the answer allows, and never more when they fail.
const MIN_REFRESH = 5;
const MAX_REFRESH = 300;

export class HeatStrip extends HTMLElement {
  static observedAttributes = ["video", "endpoint", "for", "live", "label", ...QUESTION];

  /** @type {import("./moments.js").Strip | null} */
  #strip = null;
  #view = null;
  /** The index of the bucket that is pointed at, or null for none. */
  #pointed = null;
  /** True if `data` was given, so that nothing is asked. */
  #given = false;
  /** The question under way. @type {AbortController | null} */
  #loading = null;
  #queued = false;
  /** The address whose answer is shown. */
  #shown = "";
  #refresh = 0;
  #failures = 0;
  #player = null;
  #chart; #tooltip; #message; #table; #resized;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [style];
    this.#chart = node("div", { className: "chart", part: "chart", hidden: true });
    this.#tooltip = node("dl", { className: "tooltip", part: "tooltip", hidden: true, ariaHidden: "true" });
    this.#message = node("div", { className: "message", part: "message", hidden: true, role: "status" });
    this.#table = node("div", { className: "unseen" });
    root.append(this.#chart, this.#tooltip, this.#message, this.#table);
    this.#resized = new ResizeObserver(() => this.#draw());
    this.#listen();
  }

  connectedCallback() {
    // A property that was set before this file was loaded hides the accessor.
    if (Object.hasOwn(this, "data")) {
      const { data } = this;
      delete this.data;
      this.data = data;
    }
    this.#resized.observe(this);
    document.addEventListener("visibilitychange", this.#wake);
    this.#follow();
    this.#ask();
  }

  disconnectedCallback() {
    this.#resized.disconnect();
    document.removeEventListener("visibilitychange", this.#wake);
    clearTimeout(this.#refresh);
    this.#loading?.abort();
    this.#unfollow();
  }

  attributeChangedCallback(name) {
    if (!this.isConnected) return;
    if (name === "for") this.#follow();
    else if (name === "label") this.#describe();
    else this.#ask();
  }

  /** The strip that is shown. Set it to show one without a question; null asks again. */
  get data() { return this.#strip; }

  set data(strip) {
    this.#given = Boolean(strip);
    clearTimeout(this.#refresh);
    this.#loading?.abort();
    if (strip) this.#show(strip);
    else this.#ask();
  }

  /** Asks again. */
  reload() {
    this.#given = false;
    return this.#load({ anew: true });
  }

  /** Points at a time and shows its numbers; null points nowhere. @param {number | null} secs */
  pointAt(secs) {
    this.#point(secs === null || !this.#strip ? null : Math.floor(secs / this.#strip.resolution));
  }

  // -- asking --

  /** Asks once for several attributes that change in one go. */
  #ask() {
    if (this.#queued || this.#given) return;
    this.#queued = true;
    queueMicrotask(() => {
      this.#queued = false;
      if (this.isConnected && !this.#given) this.#load();
    });
  }

  #address() {
    const endpoint = this.getAttribute("endpoint");
    if (endpoint && !URL.canParse(`${endpoint.replace(/\/+$/, "")}/`, document.baseURI)) return null;
    const base = endpoint ? new URL(`${endpoint.replace(/\/+$/, "")}/`, document.baseURI) : HOME;
    const address = new URL(`v1/videos/${encodeURIComponent(this.getAttribute("video"))}/heatmap`, base);
    for (const name of QUESTION) if (this.getAttribute(name)) address.searchParams.set(name, this.getAttribute(name));
    return address.href;
  }

  async #load({ anew = false } = {}) {
    clearTimeout(this.#refresh);
    this.#loading?.abort();
    if (!this.getAttribute("video")) return this.#say("No video is named.");
    const mine = this.#loading = new AbortController();
    const address = this.#address();
    if (!address) return this.#fail(new Error(`endpoint is no address: ${this.getAttribute("endpoint")}`));
    if (address !== this.#shown) {
      this.#strip = null;
      this.#say("Loading…", { loading: true });
    }
    let next = MIN_REFRESH;
    try {
      const response = await fetch(address, { signal: mine.signal, credentials: "omit", cache: anew ? "no-cache" : "default" });
      const body = await response.json().catch(() => null);
      if (!response.ok || !Array.isArray(body?.buckets)) {
        throw new Error(body?.detail ?? body?.title ?? `the server answered ${response.status}`);
      }
      next = Number(/max-age=(\d+)/.exec(response.headers.get("cache-control") ?? "")?.[1] ?? MAX_REFRESH);
      this.#failures = 0;
      this.#shown = address;
      this.#show(body);
      this.dispatchEvent(new CustomEvent("heat-strip-load", { bubbles: true, composed: true, detail: body }));
    } catch (error) {
      if (mine.signal.aborted) return;
      this.#failures++;
      next = MIN_REFRESH * 2 ** this.#failures;
      // A strip that was right a moment ago is better than nothing.
      if (!this.#strip) this.#fail(error);
    }
    if (this.hasAttribute("live")) {
      this.#refresh = setTimeout(this.#wake, Math.min(MAX_REFRESH, Math.max(MIN_REFRESH, next)) * 1000, true);
    }
  }

  /** A due refresh waits until somebody looks. */
  #due = false;
  #wake = (due) => {
    this.#due ||= due === true;
    if (!this.#due || document.hidden) return;
    this.#due = false;
    if (this.hasAttribute("live") && !this.#given) this.#load();
  };

  #fail(error) {
    const why = error instanceof TypeError ? "the server cannot be reached" : error.message;
    this.#say(`The strip cannot be shown: ${why}`, { retry: true });
    this.dispatchEvent(new CustomEvent("heat-strip-error", { bubbles: true, composed: true, detail: { message: why } }));
  }

  // -- showing --

  #show(strip) {
    if (strip.buckets.some(({ withheld }) => withheld)) strip = blank(strip);
    if (strip.resolution !== this.#strip?.resolution || strip.video_id !== this.#strip?.video_id) this.#pointed = null;
    this.#strip = strip;
    if (!this.#player) this.#follow();
    if (strip.buckets.length === 0) return this.#say("Nobody has watched this yet.");
    if (strip.viewers === 0) return this.#say("Too few have watched this to say how many.");
    this.#message.hidden = true;
    this.#chart.hidden = false;
    this.#describe();
    this.#draw();
  }

  /** Shows a word in the place of the strip. */
  #say(text, { loading = false, retry = false } = {}) {
    this.#message.hidden = false;
    this.#message.classList.toggle("loading", loading);
    this.#message.replaceChildren(node("span", {}, text));
    if (retry) {
      const button = node("button", { type: "button", part: "retry" }, "Try again");
      button.addEventListener("click", () => this.reload());
      this.#message.append(button);
    }
    this.#chart.hidden = this.#tooltip.hidden = true;
    this.#table.replaceChildren();
    this.#view = null;
  }

  #draw() {
    if (this.#chart.hidden) return;
    const { clientWidth: width, clientHeight: height } = this;
    if (width < 8 || height < 24) return;
    this.#view = drawStrip(this.#strip, width, height, this.#player?.duration);
    this.#view.svg.setAttribute("part", "svg");
    this.#chart.replaceChildren(this.#view.svg);
    this.#view.play(this.#player ? this.#player.currentTime : null);
    this.#point(this.#pointed, { quiet: true });
  }

  /** Describes the strip to those who do not see it. */
  #describe() {
    const strip = this.#strip;
    if (!strip?.buckets.length) return;
    const label = this.getAttribute("label") ?? `Viewers over the time of ${strip.video_id}`;
    for (const [name, value] of Object.entries({
      role: "slider", tabindex: "0", "aria-label": label, "aria-valuemin": 0, "aria-orientation": "horizontal",
      "aria-valuemax": (strip.buckets.length - 1) * strip.resolution,
    })) this.#chart.setAttribute(name, value);
    this.#speak();

    const table = node("table");
    const head = table.createTHead().insertRow();
    table.createCaption().textContent = label;
    for (const name of ["Time", strip.scope, "Retention", "Replay"]) head.append(node("th", { scope: "col" }, name));
    const body = table.createTBody();
    for (const { first, count, fullest, hottest } of grouped(strip, MAX_ROWS)) {
      const row = body.insertRow();
      const from = first * strip.resolution;
      row.append(node("th", { scope: "row" }, stretch(from, from + count * strip.resolution)));
      for (const text of [number(fullest.viewers), percent(fullest.retention), times(hottest.replay)]) {
        row.insertCell().textContent = text;
      }
    }
    this.#table.replaceChildren(table);
  }

  /** Returns the facts about a bucket. */
  #facts(bucket) {
    return [
      ["time", stretch(bucket.bucket, bucket.bucket + this.#strip.resolution)],
      [unit(this.#strip.scope, bucket.viewers), number(bucket.viewers)],
      ["retention", percent(bucket.retention)],
      ["replay", times(bucket.replay)],
    ];
  }

  #speak() {
    const bucket = this.#strip.buckets[this.#pointed ?? 0];
    this.#chart.setAttribute("aria-valuenow", bucket.bucket);
    this.#chart.setAttribute("aria-valuetext", this.#facts(bucket).map(([name, value]) => `${name} ${value}`).join(", "));
  }

  #point(index, { quiet = false } = {}) {
    if (!this.#view) return;
    this.#pointed = index === null ? null : clamp(index, this.#strip.buckets.length);
    this.#view.point(this.#pointed);
    this.#tooltip.hidden = this.#pointed === null;
    this.#speak();
    if (this.#pointed !== null) {
      const facts = this.#facts(this.#strip.buckets[this.#pointed]);
      this.#tooltip.replaceChildren(...facts.flatMap(([name, value]) => [node("dt", {}, name), node("dd", {}, value)]));
      const middle = this.#view.middle(this.#pointed);
      const room = this.#tooltip.offsetWidth + 12;
      // The tooltip stands beside the bucket, where there is room.
      const left = middle + room <= this.clientWidth ? middle + 12 : Math.max(0, middle - room);
      // The tooltip stands below the label of the most replayed part; a low strip would vanish behind it.
      const down = this.clientHeight < MIN_INSIDE ? "calc(-100% - 4px)" : "24px";
      this.#tooltip.style.transform = `translate(${Math.round(left)}px, ${down})`;
    }
    if (!quiet) {
      const secs = this.#pointed === null ? null : this.#strip.buckets[this.#pointed].bucket;
      this.dispatchEvent(new CustomEvent("heat-strip-point", { bubbles: true, composed: true, detail: { seconds: secs } }));
    }
  }

  // -- the video --

  /** Finds the linked video, which may stand in the page after the strip. */
  #follow() {
    this.#unfollow();
    const id = this.getAttribute("for");
    const player = id ? this.getRootNode().getElementById?.(id) : null;
    if (!player || !("currentTime" in player)) return;
    this.#player = player;
    for (const event of ["timeupdate", "seeking"]) player.addEventListener(event, this.#playing);
    player.addEventListener("durationchange", this.#lasting);
    this.#lasting();
    this.#playing();
  }

  #unfollow() {
    for (const event of ["timeupdate", "seeking"]) this.#player?.removeEventListener(event, this.#playing);
    this.#player?.removeEventListener("durationchange", this.#lasting);
    this.#player = null;
    this.#view?.play(null);
  }

  /** Draws on the scale of the video, once it is known or another. */
  #lasting = () => this.#strip && this.#draw();

  #playing = () => this.#view?.play(this.#player.currentTime);

  #seek() {
    if (this.#pointed === null) return;
    const { bucket: seconds } = this.#strip.buckets[this.#pointed];
    const event = new CustomEvent("heat-strip-seek", { bubbles: true, composed: true, cancelable: true, detail: { seconds } });
    if (!this.#player) this.#follow();
    if (this.dispatchEvent(event) && this.#player) this.#player.currentTime = seconds;
  }

  #listen() {
    const chart = this.#chart;
    const indexAt = (event) => this.#view.indexAt(event.clientX - chart.getBoundingClientRect().left);
    for (const moved of ["pointermove", "pointerdown"]) {
      chart.addEventListener(moved, (event) => this.#view && this.#point(indexAt(event)));
    }
    chart.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.#point(null));
    chart.addEventListener("blur", () => this.#point(null));
    chart.addEventListener("click", (event) => {
      if (!this.#view) return;
      this.#point(indexAt(event));
      this.#seek();
    });
    chart.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event) {
    if (!this.#view || event.altKey || event.ctrlKey || event.metaKey) return;
    const last = this.#strip.buckets.length - 1;
    const leap = Math.max(1, Math.round(last / 20));
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -leap, PageUp: leap }[event.key];
    // The first key shows the current place: the video's time, or the beginning.
    const here = Math.floor((this.#player?.currentTime ?? 0) / this.#strip.resolution);
    if (step) this.#point(this.#pointed === null ? here : this.#pointed + step);
    else if (event.key === "Home") this.#point(0);
    else if (event.key === "End") this.#point(last);
    else if (event.key === "Enter" || event.key === " ") this.#seek();
    else if (event.key === "Escape" && this.#pointed !== null) this.#point(null);
    else return;
    event.preventDefault();
  }
}

/** Returns a strip with zeros for what is withheld from this key, because too few watched. */
function blank(strip) {
  const none = { viewers: 0, seconds_played: 0, replay: 0, retention: 0, reached: 0 };
  const buckets = strip.buckets.map((bucket) => (bucket.withheld ? { ...bucket, ...none } : bucket));
  return { ...strip, viewers: strip.viewers ?? 0, seconds_played: strip.seconds_played ?? 0, peak: strip.peak ?? 0, buckets };
}

function node(name, properties = {}, text = "") {
  const made = document.createElement(name);
  const { part, role, ...rest } = properties;
  if (part) made.setAttribute("part", part);
  if (role) made.setAttribute("role", role);
  return Object.assign(made, rest, text && { textContent: text });
}

// A page may load this file from two places.
if (!customElements.get("heat-strip")) customElements.define("heat-strip", HeatStrip);
