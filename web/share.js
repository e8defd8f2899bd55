// Offers a strip for use elsewhere: as files, and as the tag for a page of one's own.

import { node, snippet } from "./dom.js";
import { parameters, range, videoPath } from "./route.js";

/** Escapes text inside an attribute's quotes. */
const attribute = (text) => text.replace(/[&"<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** @param {import("./route.js").Question} asked @param {string} today */
export function share(asked, today) {
  const said = { region: asked.regions.join(), resolution: asked.resolution, ...range(asked, today) };
  const file = (name, what, more = {}) => node("a", {
    className: "button", href: `${videoPath(asked.video, what)}?${parameters({ ...said, ...more })}`, target: "_blank", rel: "noopener", "data-key": `file-${name}`,
  }, name);
  const region = asked.regions.length ? ` region="${asked.regions.join()}"` : "";
  const embed = `<script type="module" src="${location.origin}/heat-strip.js"></script>\n`
    + `<video id="player" src="…" controls></video>\n`
    + `<heat-strip video="${attribute(asked.video)}"${region} for="player"></heat-strip>`;
  return node("section", { className: "card", "aria-labelledby": "share" },
    node("h2", { id: "share" }, "Take it elsewhere"),
    node("p", { className: "files" }, "This strip as ", file("CSV", "heatmap", { format: "csv" }), file("JSON", "heatmap"), file("SVG", "heatmap.svg")),
    snippet("Under a player: a click on the strip seeks the video", embed));
}
