// The controls narrow the question: days, regions, resolution. Every choice is a link, so each can be shared, opened
// beside and gone back from; the two forms go through the address as well.

import { node } from "./dom.js";
import { number } from "./format.js";
import { address, ORDERS, PRESETS, RESOLUTIONS } from "./route.js";

/** @typedef {import("./route.js").Question} Question */

/** At most this many chips are shown at once. */
const MOST_CHIPS = 16;

const presetName = (days) => (days === 1 ? "Today" : `${days} days`);

/** Makes a link that asks another question, marked if that question is asked already. */
const choice = (key, asked, chosen, ...content) => node("a", {
  href: address(asked), "data-key": key, "aria-current": chosen ? "true" : null,
}, ...content);

const group = (label, className, ...choices) => node("div", { className: "group", role: "group", "aria-label": label },
  node("span", { className: "label", "aria-hidden": "true" }, label), node("div", { className }, ...choices));

/** Offers days: the last ones, all of them (for a video only), or a range of one's own. @param {Question} asked */
export function days(asked, today) {
  const own = asked.from || asked.to;
  const presets = asked.video ? [...PRESETS, 0] : PRESETS;
  const links = presets.map((days) => choice(`days-${days}`, { ...asked, days, from: "", to: "" },
    !own && asked.days === days, days ? presetName(days) : "All"));
  if (!own && asked.days && !PRESETS.includes(asked.days)) links.push(choice("days-own", asked, true, presetName(asked.days)));

  const field = (name, label, value) => node("label", {}, label, node("input", { type: "date", name, value, max: today }));
  const form = node("form", { className: "own-days" },
    field("from", "From", asked.from), field("to", "To", asked.to), node("button", {}, "Show"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(form));
    form.dispatchEvent(new CustomEvent("ask", { bubbles: true, detail: { ...asked, days: given.from || given.to ? 0 : asked.days, ...given } }));
  });
  const summary = node("summary", { "data-key": "own-days" }, own ? `${asked.from || "…"} to ${asked.to || "…"}` : "Custom");
  if (own) summary.setAttribute("aria-current", "true");
  const details = node("details", { className: "own" }, summary, form);
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    details.open = false;
    summary.focus();
  });
  // Whoever goes elsewhere is done with the form; a calendar that opens takes the focus nowhere.
  details.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget && !details.contains(relatedTarget)) details.open = false;
  });
  return group("Days, UTC", "segments", ...links, details);
}

const ORDER_NAMES = { watched: "Watch time", views: "Views", trending: "Trending", viewers: "Viewers" };

/** Offers the orders of the list. @param {Question} asked */
export const order = (asked) => group("Order", "segments",
  ...ORDERS.map((by) => choice(`order-${by}`, { ...asked, by }, by === asked.by, ORDER_NAMES[by])));

/** Offers resolutions. @param {Question} asked */
export function resolution(asked) {
  const all = [...new Set([...RESOLUTIONS, asked.resolution])].sort((a, b) => a - b);
  const links = all.map((secs) => choice(`resolution-${secs}`, { ...asked, resolution: secs }, secs === asked.resolution,
    secs % 60 === 0 ? `${secs / 60} min` : `${secs} s`));
  return group("Bucket", "segments", ...links);
}

/**
 * Offers regions: everywhere, or the union of those that are chosen. A region that is chosen but unknown keeps its chip,
 * or nobody could take it away.
 * @param {Question} asked @param {{region: string, viewers: number}[]} known
 */
export function regions(asked, known) {
  const most = Math.max(1, ...known.map(({ viewers }) => viewers));
  const strange = asked.regions.filter((region) => !known.some((one) => one.region === region));
  const chips = [...known, ...strange.map((region) => ({ region, viewers: null }))].map(({ region, viewers }) => {
    const chosen = asked.regions.includes(region);
    const rest = chosen ? asked.regions.filter((one) => one !== region) : [...asked.regions, region].sort();
    const chip = choice(`region-${region}`, { ...asked, regions: rest }, chosen,
      node("b", {}, region), viewers !== null && node("span", { className: "count" }, number(viewers)));
    chip.style.setProperty("--share", `${viewers ? (100 * viewers) / most : 0}%`);
    return chip;
  });
  // The first chips and those that are chosen are shown; there may be as many regions as players care to name.
  const rest = chips.splice(MOST_CHIPS);
  chips.push(...rest.filter((chip) => chip.hasAttribute("aria-current")));
  const folded = rest.filter((chip) => !chip.hasAttribute("aria-current"));
  const more = folded.length > 0 && node("details", { className: "more" },
    node("summary", { "data-key": "region-more" }, `${folded.length} more`), node("div", { className: "chips" }, ...folded));
  const all = choice("region-all", { ...asked, regions: [] }, asked.regions.length === 0, node("b", {}, "Everywhere"));
  return group(asked.regions.length > 1 ? "Regions, united" : "Regions", "chips", all, ...chips, more);
}

/** Offers one region by name, where the list of regions is not known. @param {Question} asked */
export function regionField(asked) {
  const form = node("form", { className: "region-field" }, node("label", {}, node("span", { className: "label" }, "Region"),
    node("input", {
      name: "region", value: asked.regions.join(", "), placeholder: "Everywhere", maxLength: 120, "data-key": "region",
      autocomplete: "off", spellcheck: false, pattern: "\\s*[A-Za-z0-9\\-]{2,16}([\\s,]+[A-Za-z0-9\\-]{2,16})*[\\s,]*", title: "Regions like US, with commas between them",
    })));
  form.addEventListener("change", () => form.requestSubmit());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = new FormData(form).get("region").toUpperCase().split(/[\s,]+/).filter((one) => one && one !== "GLOBAL");
    form.dispatchEvent(new CustomEvent("ask", { bubbles: true, detail: { ...asked, regions: [...new Set(typed)].sort() } }));
  });
  return form;
}
