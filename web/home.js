// The list of videos, in the order that is asked for.

import { addressOf, get, getEach, getLater } from "./api.js";
import { entries, nameOf, thumbnail } from "./catalogue.js";
import * as controls from "./controls.js";
import { failure, node, notice, replace, snippet } from "./dom.js";
import { asOf, certaintySentence, clock, dayRange, duration, number, places, scopeSentence, times } from "./format.js";
import { address, DEFAULT_DAYS, range, videoPath } from "./route.js";
import { drawSpark } from "./strip_view.js";

const MOST_VIDEOS = 100;
/** A small strip has at most this many bars, of one of these resolutions. Thinned days are kept by 5 s, so none is finer. */
const SPARK_BARS = 60;
const SPARK_RESOLUTIONS = [5, 10, 15, 30, 60, 120, 300, 600, 1800];
/** The small strip of a video whose length nobody knows has bars of so many seconds. */
const UNKNOWN_RESOLUTION = 30;

const TITLES = { watched: "Most watched", views: "Most viewed", trending: "Trending", viewers: "Most viewers" };

/** Makes the page of a question; `update` asks again and returns for how long the answer holds. */
export function home(main, asked, today, stale) {
  const title = node("h1", { tabIndex: -1 }, TITLES[asked.by]);
  const facts = node("p", { className: "facts" });
  const filter = search(asked);
  const list = node("div", { className: "answer", "aria-live": "off" });
  const bar = node("div", { className: "controls" }, controls.order(asked), asked.by !== "trending" && controls.days(asked, today), controls.regionField(asked), filter);
  replace(main, node("header", { className: "head" }, title, facts), bar, list);
  document.title = asked.by === "watched" ? "heatstrip" : `${TITLES[asked.by]} · heatstrip`;

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
        const found = await (asked.by === "trending" ? trending(asked, signal) : watched(asked, today, signal));
        if (found.tag === null || found.tag !== shown) {
          shown = found.tag;
          facts.textContent = found.facts;
          replace(list, found.videos.length ? card(found, asked, sparks) : nothing(asked));
          sift(list, filter);
        }
        return { life: found.life, asOf: asOf(found.generatedAt) };
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

/** Asks what is known beside what people watched: entries of the catalogue and views. Both are a help, no more. */
async function known(ids, signal) {
  const views = ids.length ? getEach("/v1/views", ids, signal).catch(() => ({ each: new Map(), tag: "none" })) : { each: new Map(), tag: "" };
  const [of, viewed] = await Promise.all([entries(ids, signal), views]);
  return { of, viewed };
}

/** Asks for the most watched videos, and puts them in the order that is asked for. */
async function watched(asked, today, signal) {
  const region = asked.regions.join() || "GLOBAL";
  const { body, tag, life } = await get("/v1/videos", { limit: MOST_VIDEOS, region, ...range(asked, today) }, signal);
  const { of, viewed } = await known(body.videos.map(({ video_id }) => video_id), signal);
  const viewsOf = ({ video_id }) => viewed.each.get(video_id)?.views ?? 0;
  const orders = { watched: (a, b) => b.seconds_played - a.seconds_played, views: (a, b) => viewsOf(b) - viewsOf(a), viewers: () => 0 };
  const videos = [...body.videos].sort(orders[asked.by]);
  const count = videos.length === MOST_VIDEOS ? `the ${MOST_VIDEOS} videos with the most viewers` : `${number(videos.length)} video${videos.length === 1 ? "" : "s"}`;
  const played = videos.reduce((sum, video) => sum + video.seconds_played, 0);
  const hasViews = videos.some((video) => viewsOf(video) > 0);
  return {
    tag: tag && `${tag} ${of.tag} ${viewed.tag}`, life, generatedAt: body.generated_at, videos, of: of.each,
    facts: [count, `${duration(played)} watched`, dayRange(body.from, body.to), places(body.regions)].join(" · "),
    remark: [
      hasViews && "Views are of all days and everywhere, exact.",
      `${scopeSentence(body.scope)}. ${certaintySentence(body)}`,
    ].filter(Boolean).join(" "),
    columns: [
      ...(hasViews ? [["views", (video) => number(viewsOf(video))]] : []),
      ["watched", (video) => duration(video.seconds_played)],
      ["on average", (video) => `${clock(video.seconds_played / Math.max(1, video.viewers))} of ${clock(video.last_sec + 1)}`],
      [body.scope, (video) => number(video.viewers)],
    ],
    share: asked.by === "views" ? viewsOf : asked.by === "viewers" ? ({ viewers }) => viewers : (video) => video.seconds_played,
    leads: { watched: "watched", views: "views", viewers: body.scope }[asked.by],
  };
}

/** Asks for the videos that new viewers come to now. */
async function trending(asked, signal) {
  // Trends are of one region or of all.
  const region = asked.regions.length === 1 ? asked.regions[0] : "GLOBAL";
  const { body, tag, life } = await get("/v1/trending", { by: "rise", region, limit: MOST_VIDEOS }, signal);
  const { of, viewed } = await known(body.videos.map(({ video_id }) => video_id), signal);
  const few = (value) => (value < 10 ? value.toFixed(1) : number(Math.round(value)));
  return {
    tag: tag && `${tag} ${of.tag} ${viewed.tag}`, life, generatedAt: body.generated_at, videos: body.videos, of: of.each,
    facts: [`${number(body.videos.length)} video${body.videos.length === 1 ? "" : "s"}`, "new viewers of the last hours, by the video's own past", places([region])].join(" · "),
    remark: "New viewers count half as much after every half-life of hours. Expected is what they would be if the video went on as in the days before."
      + (asked.regions.length > 1 ? " Trends are of one region or of all: these are everywhere." : ""),
    columns: [
      ["new viewers", ({ recent }) => few(recent)],
      ["expected", ({ expected }) => few(expected)],
      ["rise", ({ ratio }) => times(ratio)],
      ["views", ({ video_id }) => number(viewed.each.get(video_id)?.views ?? 0)],
    ],
    share: ({ recent }) => recent,
    leads: "new viewers",
  };
}

function card({ videos, of, columns, share, leads, remark }, asked, sparks) {
  const most = Math.max(1, ...videos.map(share));
  const named = (name) => name[0].toUpperCase() + name.slice(1);
  const head = node("div", { className: "row columns", "aria-hidden": "true" },
    ...["Video", "Strip, start to end", ...columns.map(([name]) => named(name))].map((name) => node("span", {}, name)));
  const items = videos.map((video) => {
    const entry = of.get(video.video_id);
    const name = nameOf(entry, video.video_id);
    const spark = node("span", { className: "spark-place" });
    const bar = node("span", { className: "bar" });
    bar.style.setProperty("--share", `${(100 * share(video)) / most}%`);
    const cells = columns.map(([column, value]) => node("span", { className: column === leads ? "figure leads" : "figure" },
      node(column === leads ? "b" : "span", {}, value(video)), node("small", {}, ` ${column}`), column === leads && bar));
    const link = node("a", { className: "row", href: address({ ...asked, video: video.video_id }), "data-key": `video-${video.video_id}` },
      node("span", { className: "about" }, thumbnail(entry), node("span", { className: "names" },
        node("span", { className: "id" }, name),
        name !== video.video_id && node("small", { className: "under" }, [entry.channel, video.video_id].filter(Boolean).join(" · ")))),
      spark, ...cells);
    sparks.place(spark, { ...video, length: video.last_sec === undefined ? entry?.duration_sec : video.last_sec + 1 });
    return node("li", { "data-video": `${name} ${video.video_id}` }, link);
  });
  return node("div", { className: "card" }, head, node("ol", { className: "videos" }, ...items), node("p", { className: "remark" }, remark));
}

/** Asks for small strips when their row comes into sight, and draws them anew only when the video's numbers changed. */
function sparkLoader(asked, today, signal) {
  const drawn = new Map();
  const numbersOf = ({ viewers, seconds_played, recent }) => [viewers, seconds_played, recent && Math.round(recent)].join();
  const load = async (place, video) => {
    const resolution = video.length ? SPARK_RESOLUTIONS.find((secs) => video.length <= secs * SPARK_BARS) ?? SPARK_RESOLUTIONS.at(-1) : UNKNOWN_RESOLUTION;
    const said = { region: asked.regions.join(), resolution, ...range(asked, today) };
    try {
      const { body } = await getLater(videoPath(video.video_id, "heatmap"), said, signal());
      drawn.set(video.video_id, { numbers: numbersOf(video), strip: body });
      if (body.buckets.length) place.replaceChildren(drawSpark(body));
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
      if (before?.strip.buckets.length) place.replaceChildren(drawSpark(before.strip));
      if (before?.numbers === numbersOf(video)) return;
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
      type: "search", name: "video", placeholder: "title or video id", autocomplete: "off", spellcheck: false, maxLength: 128, "data-key": "search",
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
  if (asked.by === "trending") {
    const others = node("a", { className: "button", href: address({ ...asked, by: "watched" }), "data-key": "others" }, "Show the most watched");
    return notice("empty", "Nothing is trending", "Fewer new viewers than are worth a word viewed any video in the last hours. Trends are made of views: players send them, or pages by POST /v1/views.", others);
  }
  if (asked.regions.length || asked.from || asked.to || asked.days !== DEFAULT_DAYS) {
    const wider = node("a", { className: "button", href: address({ ...asked, regions: [], from: "", to: "", days: DEFAULT_DAYS }), "data-key": "wider" }, "Show the last 28 days, everywhere");
    return notice("empty", "Nobody watched anything here", "No heartbeat came from these regions in these days.", wider);
  }
  return notice("empty", "No heartbeats yet", "They show up here within seconds. Send the first one:",
    snippet("From a terminal", `curl ${addressOf("/v1/heartbeats")} -H 'content-type: application/json' \\\n`
      + `  -d '{"video_id":"my-first-video","viewer_id":"me","start_sec":0,"end_sec":29}'`),
    node("p", {}, "Or let a player send them:"),
    snippet("In a page with a video", `<script type="module">\n  import { heatstrip } from "${addressOf("/heatstrip.js")}";\n`
      + `  heatstrip(document.querySelector("video"), {\n    endpoint: "${addressOf("/").replace(/\/$/, "")}",\n    videoId: "my-first-video",\n  });\n</script>`));
}
