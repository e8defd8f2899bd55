// What was counted on a video beside its heartbeats: likes, shares and the like.

import { get } from "./api.js";
import { definitions, node } from "./dom.js";
import { number } from "./format.js";

/**
 * The totals of a video, as a card; null where nothing was counted.
 * @param {string} video @param {AbortSignal} signal
 */
export async function counters(video, signal) {
  const { body } = await get(`/v1/counts/video/${encodeURIComponent(video)}`, {}, signal);
  const counted = body.counts.filter(({ total }) => total !== 0);
  if (!counted.length) return null;
  return node("section", { className: "card", "aria-labelledby": "counters" },
    node("h2", { id: "counters" }, "Counters"),
    definitions("counters", counted.map(({ kind, total }) => [kind.replaceAll("_", " "), number(total)])));
}
