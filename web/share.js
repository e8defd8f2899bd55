// Offers a strip for use elsewhere: as files, and as the tag for a page of one's own.

import { addressOf, getFile } from "./api.js";
import { node, snippet } from "./dom.js";
import { parameters, range, videoPath } from "./route.js";
import { hasKey } from "./sign_in.js";

/** A browser that asks where to save a file may take this long to read it. */
const SAVING_MS = 60_000;

/** Escapes text inside an attribute's quotes. */
const attribute = (text) => text.replace(/[&"<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** @param {import("./route.js").Question} asked @param {string} today */
export function share(asked, today) {
  const said = { region: asked.regions.join(), resolution: asked.resolution, ...range(asked, today) };
  const trouble = node("div");
  const file = (name, what, more = {}) => {
    const question = { ...said, ...more };
    const link = node("a", {
      className: "button", href: `${addressOf(videoPath(asked.video, what))}?${parameters(question)}`, "data-key": `file-${name}`,
    }, name);
    // A key stands in no address, so the file is asked for as everything else is, and saved from here.
    link.addEventListener("click", async (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      trouble.replaceChildren();
      try {
        save(await getFile(videoPath(asked.video, what), question), `${fileName(asked.video)}.${name.toLowerCase()}`);
      } catch (problem) {
        trouble.replaceChildren(node("p", { className: "remark", role: "alert" }, `The file cannot be had: ${problem.detail || problem.message}`));
      }
    });
    return link;
  };
  const region = asked.regions.length ? ` region="${asked.regions.join()}"` : "";
  const key = hasKey() ? ' key="hsr_…"' : "";
  const embed = `<script type="module" src="${addressOf("/heat-strip.js")}"></script>\n`
    + `<video id="player" src="…" controls></video>\n`
    + `<heat-strip video="${attribute(asked.video)}"${region}${key} for="player"></heat-strip>`;
  return node("section", { className: "card", "aria-labelledby": "share" },
    node("h2", { id: "share" }, "Take it elsewhere"),
    node("p", { className: "files" }, "This strip as ", file("CSV", "heatmap", { format: "csv" }), file("JSON", "heatmap"), file("SVG", "heatmap.svg")),
    trouble,
    snippet("Under a player: a click on the strip seeks the video", embed),
    hasKey() && node("p", { className: "remark" },
      "Whoever reads a page reads its key, so it must not be the one that you signed in with, but one that shows nothing of few people: a reader's with a minimum audience, as ",
      node("code", {}, "heatstrip keys create --role reader --min-audience 20 --name pages"), " makes it."));
}

/** Returns of an id as much as any file system takes. @param {string} id */
const fileName = (id) => `heatmap-${id.replace(/[^\w-]/g, "_")}`;

/** Lets the browser save a file. @param {Blob} file @param {string} name */
function save(file, name) {
  const href = URL.createObjectURL(file);
  node("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), SAVING_MS);
}
