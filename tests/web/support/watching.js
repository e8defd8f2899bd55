// A page of another site with a video and the client, and the seconds that its element really played.

/** A script that plays stretches and keeps where each began and ended, as the element itself says. */
const WATCHING = `
  window.video = document.querySelector('video');
  window.once = (type) => new Promise((resolve) => video.addEventListener(type, resolve, { once: true }));
  window.until = async (done) => {
    for (const late = Date.now() + 60_000; !(await done()); await new Promise((resolve) => setTimeout(resolve, 20))) {
      if (Date.now() > late) throw new Error('waited in vain until ' + done);
    }
  };
  window.played = [];
  // After the client's own listeners, so that it had its say when the stretch is known to be over.
  window.watch = async (from, to, rate = 4) => {
    video.playbackRate = rate;
    if (video.currentTime !== from) {
      video.currentTime = from;
      await once('seeked');
    }
    played.push([from, from]);
    await video.play();
    await until(() => video.currentTime >= to || video.ended);
    if (!video.ended) {
      video.pause();
      await once('pause');
    }
    played[played.length - 1][1] = video.currentTime;
    return video.currentTime;
  };
`;

/**
 * The page. In it are `video`, `client`, `watch(from, to, rate)`, `played`, `once(type)`, `until(condition)`.
 *
 * @param {{heatstrip: string, source: string, options: string, endpoint?: string}} what where heatstrip answers, the video
 *   file, the client's options beside `endpoint` as source text, and where to send if not to heatstrip itself
 */
export function watchingPage({ heatstrip, source, options, endpoint = heatstrip }) {
  return `<!doctype html>
    <video src="${source}" preload="auto"></video>
    <script type="module">
      import { heatstrip } from '${heatstrip}/heatstrip.js';
      const options = { endpoint: '${endpoint}', ${options} };
      ${WATCHING}
      window.client = heatstrip(video, options);
      await until(() => video.readyState >= 3);
      window.ready = true;
    </script>`;
}

/** How often each second was played, of stretches as the element told them: each time its middle was passed. */
export function playsOf(stretches) {
  const plays = [];
  for (const [from, to] of stretches) {
    for (let second = Math.round(from); second <= Math.round(to) - 1; second++) plays[second] = (plays[second] ?? 0) + 1;
  }
  return Array.from(plays, (count) => count ?? 0);
}

/** The same of a strip. */
export function playsIn(strip) {
  return strip.buckets.map((bucket) => bucket.seconds_played);
}
