// What the catalogue knows of videos: titles for their ids, and pictures from where they may come from.

import { getEach } from "./api.js";
import { node } from "./dom.js";

/** Whoever runs this says in the page from where pictures may come. */
const thumbnailOrigins = document.querySelector("meta[name=thumbnail-origins]").content.split(" ");

/** @typedef {{video_id: string, title: string | null, channel: string | null, duration_sec: number | null, thumbnail_url: string | null, published_at: string | null}} Entry */

/**
 * Returns the entries of videos by id, and a tag that changes with them. Without the catalogue there are ids still.
 * @param {string[]} ids @param {AbortSignal} [signal] @returns {Promise<{each: Map<string, Entry>, tag: string}>}
 */
export async function entries(ids, signal) {
  if (!ids.length) return { each: new Map(), tag: "" };
  return getEach("/v1/catalogue", ids, signal).catch((problem) => {
    if (signal?.aborted) throw problem;
    return { each: new Map(), tag: "none" };
  });
}

/** Returns the title of a video, or its id. @param {Entry | undefined} entry @param {string} id */
export const nameOf = (entry, id) => entry?.title || id;

/** Returns true if the page may show the picture of an entry: only from origins that whoever runs this allows. */
const isAllowed = (url) => URL.canParse(url) && thumbnailOrigins.includes(new URL(url).origin);

/** Makes the picture of a video, or null where there is none to show. @param {Entry | undefined} entry */
export function thumbnail(entry) {
  if (!entry?.thumbnail_url || !isAllowed(entry.thumbnail_url)) return null;
  const picture = node("img", { className: "thumbnail", src: entry.thumbnail_url, alt: "", loading: "lazy", referrerPolicy: "no-referrer", width: 80, height: 45 });
  // A picture that is gone leaves its place empty.
  picture.addEventListener("error", () => picture.classList.add("gone"));
  return picture;
}
