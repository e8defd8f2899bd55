// Why was I not counted? What became of what players sent of a video, asked for when somebody unfolds it.

import { get } from "./api.js";
import { definitions, node, replace } from "./dom.js";
import { number } from "./format.js";
import { range, videoPath } from "./route.js";

/** What each outcome means, and what to do, in plain words. The list is closed: docs/api.md has it. */
const WORDS = {
  malformed: "The element could not be read as a JSON object.",
  missing: "A field that has to be there was left out, such as the video or the viewer.",
  wrong_type: "A field was of another type: text where a number belongs, or a second with a fraction.",
  empty: "A field that has to be there was empty.",
  too_long: "A name was too long: 128 bytes for a video, 256 for a viewer, 16 letters for a region.",
  control_character: "A name held a control character, such as a line break.",
  bad_format: "A region or a time was written in a way that cannot be read.",
  reserved: "The region was GLOBAL, which stands for all of them.",
  out_of_range: "The seconds lie outside the video: later than its length in the catalogue or in the heartbeat, or than a day.",
  end_before_start: "The last second was before the first.",
  too_many_seconds: "One heartbeat covered more than 600 seconds: send shorter ones.",
  too_old: "It was more than 48 hours old when it came, or the day's salt is gone: send sooner, or replay it from a file.",
  in_future: "Its time lies more than 5 minutes ahead of the server: the player's clock is wrong.",
  bad_token: "The viewer's id is not one that this key takes: it is neither signed nor as the client makes them.",
  not_allowed: "The key is not for this video.",
  set_aside: "It was accepted, and the database could not take it: it waits in heartbeat_queue_failed.",
  other_region: "It was accepted, and counts under the default region: the video already had 256 regions on that day.",
  repeated: "It was accepted and is no view of its own: the same viewer had been counted moments before.",
};

/** Adds up what the days say of one kind of element. @param {object[]} days @param {"heartbeats" | "views"} kind */
export function totals(days, kind) {
  const sums = new Map();
  const add = (outcome, elements) => elements && sums.set(outcome, (sums.get(outcome) ?? 0) + elements);
  for (const { [kind]: said } of days) {
    add("accepted", said.accepted);
    add("repeated", said.repeated);
    add("other_region", said.other_region);
    add("set_aside", said.set_aside);
    for (const { reason, elements } of said.refused) add(reason, elements);
  }
  return sums;
}

/** Says what became of one kind of element. */
function outcomes(title, sums) {
  const { accepted = 0, ...others } = Object.fromEntries(sums);
  const rest = Object.entries(others).sort((a, b) => b[1] - a[1]);
  if (!accepted && !rest.length) return null;
  const entries = rest.map(([outcome, elements]) => [outcome.replaceAll("_", " "), number(elements), WORDS[outcome]]);
  return node("div", {}, node("h3", {}, title),
    definitions("outcomes", [["accepted", number(accepted), rest.length ? null : "Nothing was refused."], ...entries]));
}

/** Says what was refused of videos that nobody ever was counted for: a newcomer's mistake is found here. */
function unknown({ heartbeats, views }) {
  const all = [...heartbeats, ...views];
  if (!all.length) return null;
  const sums = new Map();
  for (const { reason, elements } of all) sums.set(reason, (sums.get(reason) ?? 0) + elements);
  return node("div", {}, node("h3", {}, "Of videos that were never counted"),
    node("p", { className: "quiet" }, "Refused in the same days, of all videos of which nothing was ever accepted, together."),
    definitions("outcomes", [...sums].sort((a, b) => b[1] - a[1])
      .map(([reason, elements]) => [reason.replaceAll("_", " "), number(elements), WORDS[reason]])));
}

/** Makes what can be unfolded, for the days that the page is about. */
export function ledger(asked, today) {
  let asking = new AbortController();
  const found = node("div", { role: "status" });
  const hint = node("p", { className: "quiet" },
    "To see what would become of a heartbeat without counting it, send it to ", node("code", {}, "/v1/heartbeats?dry_run=1"),
    ". What came within the last seconds may not be here yet.");
  const place = node("details", { className: "meanings ledger" }, node("summary", { "data-key": "ledger" }, "Why was I not counted?"), found, hint);
  async function update() {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    try {
      const { body } = await get(videoPath(asked.video, "ledger"), range(asked, today), signal);
      const parts = [outcomes("Heartbeats", totals(body.days, "heartbeats")), outcomes("Views", totals(body.days, "views")), unknown(body.unknown_videos)];
      replace(found, ...(parts.some(Boolean) ? parts : [node("p", {}, "Nothing came of this video in these days: neither counted nor refused.")]));
    } catch (problem) {
      if (!signal.aborted) replace(found, node("p", { className: "quiet" }, problem.detail || problem.message));
    }
  }
  place.addEventListener("toggle", () => place.open && update());
  return { place, close: () => asking.abort() };
}
