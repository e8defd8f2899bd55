// The question that the page answers lives in its address, so that a link shows what its sender saw. This file is pure.

import { addDays } from "./format.js";

/** The ranges that have a name cover so many days; the list's default comes last. */
export const PRESETS = [1, 7, 28];
export const DEFAULT_DAYS = 28;
export const RESOLUTIONS = [1, 5, 10, 30, 60, 300];
export const DEFAULT_RESOLUTION = 5;
/** The list is in one of these orders; the first is the default. */
export const ORDERS = ["watched", "views", "trending", "viewers"];

/**
 * @typedef {object} Question
 * @property {string | null} video  null for the list of videos
 * @property {number} days  the last so many days, or 0 for those from `from` to `to`
 * @property {string} from @property {string} to  empty for an open end
 * @property {string[]} regions  empty for everywhere
 * @property {number} resolution
 * @property {string} by  the order of the list
 */

const isDay = (text) => /^\d{4}-\d\d-\d\d$/.test(text ?? "") && !Number.isNaN(Date.parse(text));
const whole = (text, or) => (/^\d{1,4}$/.test(text ?? "") && Number(text) > 0 ? Number(text) : or);

/** @param {string} search `location.search` @returns {Question} */
export function parse(search) {
  const address = new URLSearchParams(search);
  const [from, to] = ["from", "to"].map((name) => (isDay(address.get(name)) ? address.get(name) : ""));
  const video = address.get("video") || null;
  // Only a video may be asked for over all days: nobody would wait for the list of all videos.
  const all = from || to || (video && address.get("days") === "all");
  const days = all ? 0 : whole(address.get("days"), DEFAULT_DAYS);
  const regions = (address.get("region") ?? "").toUpperCase().split(/[\s,]+/).filter((region) => region && region !== "GLOBAL");
  return {
    video, days, from, to,
    regions: [...new Set(regions)].sort(),
    resolution: Math.min(3600, whole(address.get("resolution"), DEFAULT_RESOLUTION)),
    by: ORDERS.includes(address.get("by")) ? address.get("by") : ORDERS[0],
  };
}

/** Returns the address of a question, as short as it can be: the page may be below any path. @param {Question} question */
export function address({ video, days, from, to, regions, resolution, by }) {
  const said = new URLSearchParams();
  if (video) said.set("video", video);
  if (from) said.set("from", from);
  if (to) said.set("to", to);
  if (!from && !to && days !== DEFAULT_DAYS) said.set("days", days || "all");
  if (regions.length) said.set("region", regions.join());
  if (video && resolution !== DEFAULT_RESOLUTION) said.set("resolution", resolution);
  if (by && by !== ORDERS[0]) said.set("by", by);
  return said.size ? `./?${said}` : "./";
}

/** Returns a question's days as the API takes them; the list's default needs none. @param {Question} question @param {string} today */
export function range({ days, from, to }, today) {
  if (!days) return { from, to };
  return { from: addDays(today, 1 - days), to: today };
}

/**
 * Returns the API's parameters without the empty ones; a list repeats its name, and so may pairs.
 * @param {Record<string, string | number | string[]> | [string, string | number][]} said
 */
export function parameters(said) {
  const pairs = Array.isArray(said) ? said : Object.entries(said);
  return new URLSearchParams(pairs.flatMap(([name, value]) => [value].flat().filter(Boolean).map((one) => [name, String(one)])));
}

/** Returns the path of one video's answers. @param {string} video @param {string} what */
export const videoPath = (video, what) => `/v1/videos/${encodeURIComponent(video)}/${what}`;
