// Asks the API. The browser's own cache holds each answer and its tag, so an unchanged answer costs a 304.

import { parameters } from "./route.js";
import { authorization, signIn } from "./sign_in.js";

/** At most this many small strips are asked for at once: the big one must not wait behind a hundred of them. */
const AT_ONCE = 4;

/** Says why there is no answer. `status` is 0 when the server cannot be reached. */
export class Problem extends Error {
  constructor(title, detail, status) {
    super(title);
    this.detail = detail;
    this.status = status;
  }
}

/** Returns the whole address of a path: the API is beside the page, below whatever path that is. @param {string} path */
export const addressOf = (path) => new URL(`.${path}`, location.href).href;

/** Asks with the key, and returns the response if it is an answer. */
async function ask(path, said, signal) {
  let response;
  try {
    response = await fetch(`${addressOf(path)}?${parameters(said)}`, { signal, headers: authorization(), cache: "no-cache" });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem("The server cannot be reached", "This page tries again by itself.", 0);
  }
  if (response.ok) return response;
  if (response.status === 401) signIn({ refused: true });
  throw problem(response, await response.json().catch(() => null));
}

const problem = ({ status }, said) => new Problem(said?.title ?? `The server answered ${status}`, said?.detail ?? "", status);

/**
 * Returns an answer, its tag and for how many seconds it holds.
 * @param {string} path @param {Record<string, string | number>} said @param {AbortSignal} [signal]
 */
export async function get(path, said, signal) {
  const response = await ask(path, said, signal);
  const body = await response.json().catch(() => null);
  if (!body) throw problem(response);
  const life = /max-age=(\d+)/.exec(response.headers.get("cache-control") ?? "")?.[1];
  return { body, tag: response.headers.get("etag"), life: Number(life ?? 0) };
}

/**
 * Returns an answer as a file.
 * @param {string} path @param {Record<string, string | number>} said
 */
export async function getFile(path, said) {
  return (await ask(path, said)).blob();
}

/** A question about many videos is asked in parts: proxies take addresses of about 8,000 letters. */
const MOST_IDS = 100;
const MOST_LETTERS = 4000;

/**
 * Asks about many videos and returns what is said of each by its id, with the answers' tags.
 * @param {string} path @param {string[]} ids @param {AbortSignal} [signal]
 */
export async function getEach(path, ids, signal) {
  const parts = [[]];
  let letters = 0;
  for (const id of ids) {
    letters += encodeURIComponent(id).length + "video_id=&".length;
    if (parts.at(-1).length === MOST_IDS || (letters > MOST_LETTERS && parts.at(-1).length)) {
      parts.push([]);
      letters = encodeURIComponent(id).length;
    }
    parts.at(-1).push(id);
  }
  const answers = await Promise.all(parts.filter(({ length }) => length).map((video_id) => get(path, { video_id }, signal)));
  return {
    each: new Map(answers.flatMap(({ body }) => body.videos.map((video) => [video.video_id, video]))),
    tag: answers.map(({ tag }) => tag).join(),
  };
}

let running = 0;
const waiting = [];

/** Asks as `get` does, but a few at once; whoever gives up while waiting asks nothing. */
export async function getLater(path, said, signal) {
  if (running >= AT_ONCE) await new Promise((go) => waiting.push(go));
  running++;
  try {
    signal?.throwIfAborted();
    return await get(path, said, signal);
  } finally {
    running--;
    waiting.shift()?.();
  }
}
