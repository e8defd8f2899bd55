// The numbers under the video: how often it was viewed, by how many people recently, and by how many ever.

import { get } from "./api.js";
import { definitions, node } from "./dom.js";
import { certainty, dayRange, number, scopeSentence, unit } from "./format.js";
import { videoPath } from "./route.js";

/**
 * Returns what a video's page leads with. Views know all days and everywhere, whatever the strip below is narrowed to.
 * @param {string} video @param {AbortSignal} signal
 */
export async function lead(video, signal) {
  const { body } = await get(videoPath(video, "views"), {}, signal);
  const { views, viewers, rule } = body;
  const since = viewers.recent_from ? `since ${dayRange(viewers.recent_from, viewers.recent_from)}, exact` : "exact";
  return node("section", { "aria-label": "Views" },
    definitions("numbers lead", [
      ["views", number(views), `all days, everywhere, exact; ${ruleOf(rule)}`],
      ["recent viewers", number(viewers.recent), `${since}; ${scopeSentence(viewers.recent_scope ?? "viewers")}`],
      [lifetimeName(viewers), number(viewers.lifetime), `all days, ${certainty(viewers)}; ${scopeSentence(viewers.scope)}`],
    ]));
}

const lifetimeName = ({ scope, lifetime }) => (scope === "viewers" ? "lifetime viewers" : `lifetime ${unit(scope, lifetime)}`);

/** Says what counts as a view. */
function ruleOf({ after_secs, window_mins }) {
  const once = window_mins ? `, once in ${window_mins} min a viewer` : "";
  return `after ${after_secs} s${once}`;
}
