// The list of the most watched videos.

import { get, getLater } from "./api.js";
import * as controls from "./controls.js";
import { failure, node, notice, replace, snippet } from "./dom.js";
import { asOf, certaintySentence, clock, dayRange, duration, number, places, scopeSentence } from "./format.js";
import { address, DEFAULT_DAYS, range, videoPath } from "./route.js";
import { drawSpark } from "./strip_view.js";

const MOST_VIDEOS = 100;
/** A small strip has at most this many bars, of one of these resolutions. Thinned days are kept by 5 s, so none is finer. */
const SPARK_BARS = 60;
const SPARK_RESOLUTIONS = [5, 10, 15, 30, 60, 120, 300, 600, 1800];

/** Makes the page of a question; `update` asks again and returns for how long the answer holds. */
export function home(main, asked, today, stale) {
  const title = node("h1", { tabIndex: -1 }, "Most watched");
  const facts = node("p", { className: "facts" });
  const filter = search(asked);
  const list = node("div", { className: "answer", "aria-live": "off" });
  const bar = node("div", { className: "controls" }, controls.days(asked, today), controls.regionField(asked), filter);
  replace(main, node("header", { className: "head" }, title, facts), bar, list);
  document.title = "heatstrip";

  let shown = null;
  let asking = new AbortController();
  const sparks = sparkLoader(asked, today, () => asking.signal);
  filter.addEventListener("input", () => sift(list, filter));
  list.append(...(stale.length ? stale : [skeleton()]));

  return {
    async update() {
      asking.abort();
      asking = new AbortController();
      const { signal } = asking;
      try {
        const region = asked.regions.join() || "GLOBAL";
        const { body, tag, life } = await get("/v1/videos", { limit: MOST_VIDEOS, region, ...range(asked, today) }, signal);
        if (tag === null || tag !== shown) {
          shown = tag;
          facts.textContent = factsOf(body);
          replace(list, body.videos.length ? rows(body, asked, sparks) : nothing(asked));
          sift(list, filter);
        }
        return { life, asOf: asOf(body.generated_at) };
      } catch (problem) {
        // A list that was right a moment ago is better than none.
        if (!signal.aborted && shown === null) {
          facts.textContent = "";
          replace(list, failure(problem, () => main.dispatchEvent(new CustomEvent("again"))));
        }
        throw problem;
      }
    },
    close() {
      asking.abort();
      sparks.close();
    },
  };
}

function factsOf(body) {
  const watched = body.videos.reduce((sum, video) => sum + video.seconds_played, 0);
  const count = body.videos.length === MOST_VIDEOS ? `the first ${MOST_VIDEOS} videos` : `${number(body.videos.length)} video${body.videos.length === 1 ? "" : "s"}`;
  return [count, `${duration(watched)} watched`, dayRange(body.from, body.to), places(body.regions)].join(" · ");
}

function rows(body, asked, sparks) {
  const most = Math.max(1, ...body.videos.map(({ viewers }) => viewers));
  const head = node("div", { className: "row columns", "aria-hidden": "true" }, ...["Video", "Strip, start to end", body.scope, "Watched", "On average"].map((name) => node("span", {}, name)));
  const items = body.videos.map((video) => {
    const spark = node("span", { className: "spark-place" });
    const bar = node("span", { className: "bar" });
    bar.style.setProperty("--share", `${(100 * video.viewers) / most}%`);
    const link = node("a", { className: "row", href: address({ ...asked, video: video.video_id }), "data-key": `video-${video.video_id}` },
      node("span", { className: "id" }, video.video_id),
      spark,
      node("span", { className: "viewers" }, node("b", {}, number(video.viewers)), node("small", {}, ` ${body.scope}`), bar),
      node("span", { className: "watched" }, duration(video.seconds_played), node("small", {}, " watched")),
      node("span", { className: "average" }, clock(video.seconds_played / Math.max(1, video.viewers)), node("small", {}, ` of ${clock(video.last_sec + 1)}`)));
    sparks.place(spark, video);
    return node("li", { "data-video": video.video_id }, link);
  });
  return node("div", { className: "card" }, head, node("ol", { className: "videos" }, ...items),
    node("p", { className: "remark" }, `${scopeSentence(body.scope)}. ${certaintySentence(body)}`));
}

/** Asks for small strips when their row comes into sight, and draws them anew only when the video's numbers changed. */
function sparkLoader(asked, today, signal) {
  const drawn = new Map();
  const load = async (place, video) => {
    const resolution = SPARK_RESOLUTIONS.find((secs) => video.last_sec < secs * SPARK_BARS) ?? SPARK_RESOLUTIONS.at(-1);
    const said = { region: asked.regions.join(), resolution, ...range(asked, today) };
    try {
      const { body } = await getLater(videoPath(video.video_id, "heatmap"), said, signal());
      drawn.set(video.video_id, { viewers: video.viewers, seconds: video.seconds_played, strip: body });
      place.replaceChildren(drawSpark(body));
    } catch {
      // The row has the numbers, and the page says it when the server is away.
    }
  };
  const waiting = new WeakMap();
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      load(target, waiting.get(target));
    }
  }, { rootMargin: "200px" });
  return {
    place(place, video) {
      const before = drawn.get(video.video_id);
      if (before) place.replaceChildren(drawSpark(before.strip));
      if (before?.viewers === video.viewers && before.seconds === video.seconds_played) return;
      waiting.set(place, video);
      seen.observe(place);
    },
    close: () => seen.disconnect(),
  };
}

/** Finds videos of the list while somebody types; Enter opens the id as it stands, listed or not. */
function search(asked) {
  const form = node("form", { className: "search", role: "search" },
    node("label", {}, node("span", { className: "label" }, "Find or open"), node("input", {
      type: "search", name: "video", placeholder: "video id", autocomplete: "off", spellcheck: false, maxLength: 128, "data-key": "search",
    })));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const video = form.elements.video.value.trim();
    if (video) form.dispatchEvent(new CustomEvent("ask", { bubbles: true, detail: { ...asked, video } }));
  });
  return form;
}

function sift(list, filter) {
  const typed = filter.elements.video.value.trim().toLowerCase();
  const items = [...list.querySelectorAll("li[data-video]")];
  for (const item of items) item.hidden = !item.dataset.video.toLowerCase().includes(typed);
  list.querySelector(".unlisted")?.remove();
  if (items.length && items.every((item) => item.hidden)) {
    list.querySelector(".card").append(node("p", { className: "unlisted", role: "status" }, "None of these. Press Enter to open this id."));
  }
}

function skeleton() {
  return node("div", { className: "card skeleton", role: "status", "aria-label": "Loading" },
    ...Array.from({ length: 8 }, () => node("div", { className: "row" }, node("i", {}), node("i", {}), node("i", {}))));
}

function nothing(asked) {
  if (asked.regions.length || asked.from || asked.to || asked.days !== DEFAULT_DAYS) {
    const wider = node("a", { className: "button", href: address({ ...asked, regions: [], from: "", to: "", days: DEFAULT_DAYS }), "data-key": "wider" }, "Show the last 28 days, everywhere");
    return notice("empty", "Nobody watched anything here", "No heartbeat came from these regions in these days.", wider);
  }
  const { origin } = location;
  return notice("empty", "No heartbeats yet", "They show up here within seconds. Send the first one:",
    snippet("From a terminal", `curl ${origin}/v1/heartbeats -H 'content-type: application/json' \\\n`
      + `  -d '{"video_id":"my-first-video","viewer_id":"me","start_sec":0,"end_sec":29}'`),
    node("p", {}, "Or let a player send them:"),
    snippet("In a page with a video", `<script type="module">\n  import { heatstrip } from "${origin}/heatstrip.js";\n`
      + `  heatstrip(document.querySelector("video"), {\n    endpoint: "${origin}",\n    videoId: "my-first-video",\n  });\n</script>`));
}
