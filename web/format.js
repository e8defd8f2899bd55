// Writes numbers, times and days as people read them. This file is pure.

/** Says in plain words what `viewers` counts, by the answer's `scope`. */
const SCOPES = {
  "viewers": "different people, each counted once",
  "viewer-days": "a person who came on two days counts twice",
  "viewer-weeks": "a person who came in two weeks counts twice",
  "viewer-months": "a person who came in two months counts twice",
  "viewer-epochs": "a person counts once in each salt epoch",
};

const DAY_MS = 86_400_000;

/** Writes a time as `m:ss`, or as `h:mm:ss` from an hour on. @param {number} secs */
export function clock(secs) {
  const two = (n) => String(n).padStart(2, "0");
  const whole = Math.floor(secs);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Writes a stretch of a video. @param {number} from @param {number} to */
export const stretch = (from, to) => `${clock(from)}–${clock(to)}`;

/** @param {number} value */
export const number = (value) => value.toLocaleString("en");

/** @param {number} share @param {number} [digits] */
export const percent = (share, digits = 1) => `${(share * 100).toFixed(digits)} %`;

/** Writes how often a stretch was played by each of its viewers. @param {number} replay */
export const times = (replay) => `${replay.toFixed(2)}×`;

/** Writes how long people watched. @param {number} secs */
export function duration(secs) {
  if (secs < 60) return `${Math.round(secs)} s`;
  const minutes = Math.floor(secs / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${number(Math.floor(minutes / 60))} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** Writes `exact`, or one standard error. @param {{exact: boolean, relative_error: number}} answer */
export const certainty = ({ exact, relative_error }) => (exact ? "exact" : `± ${percent(relative_error)}`);

/** Writes the same as a sentence. @param {{exact: boolean, relative_error: number}} answer */
export const certaintySentence = (answer) => answer.exact
  ? "Exact: everybody was counted."
  : `An estimate: two in three lie within ${percent(answer.relative_error)} of the truth.`;

/** Returns the noun for a count. @param {string} scope @param {number} count */
export const unit = (scope, count) => (count === 1 ? scope.replace(/s$/, "") : scope);

/** @param {string} scope */
export const scopeSentence = (scope) => `${scope}: ${SCOPES[scope] ?? ""}`;

/** Writes regions, and `GLOBAL` as people say it. @param {string[]} regions */
export const places = (regions) => regions.join() === "GLOBAL" ? "everywhere" : regions.join(" + ");

/** Writes a UTC day as `Sat 21 Nov`. @param {string} day `YYYY-MM-DD` */
export const dayName = (day) => new Date(`${day}T00:00:00Z`)
  .toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

/** @param {string | null} from @param {string | null} to */
export function dayRange(from, to) {
  if (!from || !to) return "no days yet";
  const [first, last] = [from, to].map((day) => new Date(`${day}T00:00:00Z`));
  const written = { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" };
  return new Intl.DateTimeFormat("en-GB", written).formatRange(first, last);
}

/** Returns the UTC day `days` after a day. @param {string} day @param {number} days */
export const addDays = (day, days) => new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);

/** Returns every day from one to another, both included, but only the last `most`. */
export function daysBetween(from, to, most) {
  const count = (Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS + 1;
  const kept = Math.max(0, Math.min(count, most));
  return Array.from({ length: kept }, (_, index) => addDays(to, index + 1 - kept));
}

/** Writes when an answer was made. @param {string} instant */
export const asOf = (instant) => `as of ${instant.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC")}`;
