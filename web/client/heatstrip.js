// The player client: tells heatstrip which seconds of a video were played.
//
// A second counts each time the playhead passes its middle by playing. So a stretch played from `a` to `b` covers the
// seconds `round(a)` to `round(b) - 1`, and stretches that follow each other count no second twice and skip none.
//
//   media events ─► sample ─► add ─► waiting ─ every 10 s ─► outbox ─► POST /v1/heartbeats
//                   what was   whole  heartbeats               batches   one at a time, again with
//                   played     seconds                         with ids  the same id until answered

/** The client tells this often what was played, before jitter. */
const BEAT_MS = 10_000;
/** A playhead runs ahead of the clock, or steps back, by no more than this; beyond it is a jump. */
const SLACK_SEC = 0.5;
/** There is no later second, and one heartbeat has no more seconds than the second number. */
const MAX_SEC = 86_399;
const MAX_SECONDS_PER_HEARTBEAT = 600;
/** So few heartbeats keep a request below the 64 KiB that a browser sends for a page that is gone. */
const MAX_HEARTBEATS_PER_BATCH = 50;
/** This many heartbeats, of a beat each, are kept while the server is away: more than an hour of playing. */
const MAX_WAITING = 500;
/** A stretch that goes on is one heartbeat for no longer than this, so that two beats are not told as one. */
const MAX_HEARTBEAT_MS = 15_000;
/** A heartbeat older than this tells when it was; a fresh one needs no clock of the viewer's. */
const FRESH_MS = 60_000;
/** The server remembers batch ids for 10 minutes; a later retry might count twice. */
const RETRY_MS = 9 * 60_000;
const REQUEST_MS = 30_000;
/** A session is a view once it has played this long; whoever serves this script fills in its own setting. */
const VIEW_AFTER_SEC = 10;
const MAX_RETRY_AFTER_SEC = 3600;

const STORAGE_KEY = 'heatstrip.viewer';
/** An element keeps its client under this, so that no copy of this script counts beside another. */
const CLIENT = Symbol.for('heatstrip');

const PAGE_EVENTS = ['visibilitychange', 'pagehide'];
const MEDIA_EVENTS = 'playing timeupdate pause waiting seeking seeked ended ratechange emptied'.split(' ');

/** @typedef {import('../heatstrip.js').Options} Options */
/** @typedef {import('../heatstrip.js').Client} Client */
/** @typedef {{video_id: string, viewer_id: string, viewer_token: string | undefined, region: string | undefined}} Ids */
/** @typedef {{at: number, now: number, rate: number, moves: boolean, ids: Ids | undefined}} Head */
/** @typedef {Ids & {start_sec: number, end_sec: number, duration_sec?: number, at: number, view?: boolean}} Heartbeat */
/** @typedef {{batch_id: string, heartbeats: Heartbeat[], tried: number}} Batch */

/**
 * Tells heatstrip which seconds of an element are played. It never throws. An element has one client: the next one
 * detaches the one before.
 *
 * @param {HTMLMediaElement} media a `<video>` or `<audio>`
 * @param {Options} options
 * @returns {Client}
 */
export function heatstrip(media, options) {
  const {
    endpoint,
    key,
    videoId,
    viewerId,
    viewerToken,
    region,
    counts,
    viewAfter = VIEW_AFTER_SEC,
    respectDoNotTrack,
    onError = console.warn,
  } = { ...options };

  /** The kinds of trouble that were told of. @type {Set<unknown>} */
  const told = new Set();
  const tell = (/** @type {unknown} */ kind, /** @type {unknown} */ what) => {
    if (told.has(kind)) return;
    told.add(kind);
    try {
      onError(new Error(`heatstrip: ${what}`));
    } catch {
      // The page's own fault is not to stop its player.
    }
  };

  const idle = { flush: async () => true, detach() {} };
  if (!media?.addEventListener || endpoint == null || !videoId) {
    tell('options', 'needs a media element, endpoint and videoId');
    return idle;
  }
  if (respectDoNotTrack && (navigator.doNotTrack === '1' || /** @type {any} */ (navigator).globalPrivacyControl)) {
    return idle;
  }

  const url = `${endpoint}`.replace(/\/*$/, '/v1/heartbeats');
  // In the address, as beacons have no headers. Nothing that is told of repeats it.
  const keyedUrl = key ? `${url}?key=${encodeURIComponent(key)}` : url;

  /** The place where the playhead was last seen; none after a jump. @type {Head | undefined} */
  let head;
  /** Heartbeats that were played and are not yet in a batch. @type {Heartbeat[]} */
  let waiting = [];
  /** Batches on their way, of which the first may be in flight. @type {Batch[]} */
  let outbox = [];
  /** A promise while a request is under way. @type {Promise<boolean> | undefined} */
  let sending;
  /** Counts the tries without an answer since the last answer. */
  let failures = 0;
  /** The timer of the next beat, or of the next try. @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let detached = false;
  /** Who watches what: one session, which is a view once. */
  let session = '';
  /** Seconds that the session has played, none any more once it is a view. */
  let played = 0;

  /** Counts what was played since the last sample. */
  function sample(/** @type {string} */ type) {
    const at = media.currentTime;
    const now = performance.now();
    // While seeking some browsers still tell the old position, some the new one.
    const jumps = type === 'seeking' || type === 'emptied' || media.seeking;
    const moves = !media.paused && !media.seeking && media.readyState > 2;
    let looped = false;
    let from = at;
    // A rate changes a moment before or after its event.
    const rate = Math.max(head?.rate ?? 0, media.playbackRate);
    if (head) {
      const reach = rate * (head.moves ? (now - head.now) / 1000 + SLACK_SEC : SLACK_SEC);
      const ahead = at - head.at;
      looped = head.moves && media.loop && ahead < 0 && media.duration - head.at <= reach;
      if (looped) {
        add(head, media.duration);
        from = 0;
      } else if (!jumps && ahead > -SLACK_SEC && ahead <= reach) {
        add(head, at);
        // Around a pause the element may tell a position a little behind the one before.
        from = Math.max(at, head.at);
      }
    }
    const next = type === 'ratechange' ? rate : media.playbackRate;
    head = looped || !jumps ? { at: from, now, rate: next, moves: looped || moves, ids: ids() } : undefined;
  }

  /** Returns the ids of what plays now, or none if it does not count. */
  function ids() {
    /** @template T @param {import('../heatstrip.js').Changing<T>} id */
    const of = (id) => (id instanceof Function ? id(media) : id);
    if (counts && !counts(media)) return;
    const video_id = of(videoId);
    if (!video_id) return;
    // Ids that come from databases may be numbers.
    const viewer = of(viewerId);
    const viewer_token = (viewer && of(viewerToken)) || undefined;
    return { video_id: `${video_id}`, viewer_id: `${viewer || ownViewerId()}`, viewer_token, region: of(region) || undefined };
  }

  function add(/** @type {Head} */ { at, ids }, /** @type {number} */ to) {
    const last = Math.min(Math.round(to) - 1, MAX_SEC);
    const { duration } = media;
    const now = Date.now();
    const own = ids && ids.video_id + '\n' + ids.viewer_id;
    if (own && own !== session) {
      session = own;
      played = 0;
    }
    for (let first = Math.round(at); ids && first <= last; ) {
      let beat = waiting[waiting.length - 1];
      const follows =
        beat?.end_sec === first - 1 &&
        now - beat.at < MAX_HEARTBEAT_MS &&
        first - beat.start_sec < MAX_SECONDS_PER_HEARTBEAT &&
        beat.video_id === ids.video_id &&
        beat.viewer_id === ids.viewer_id &&
        beat.region === ids.region;
      if (!follows) {
        beat = { ...ids, start_sec: first, end_sec: first, at: now };
        waiting.push(beat);
      }
      // The newest one lasts longest.
      beat.viewer_token = ids.viewer_token;
      beat.end_sec = Math.min(last, beat.start_sec + MAX_SECONDS_PER_HEARTBEAT - 1);
      // Live streams have no end, or one beyond any video's.
      beat.duration_sec = duration >= to && duration <= MAX_SEC + 1 ? duration : undefined;
      played += beat.end_sec + 1 - first;
      // Of a video that is shorter than that, half will do.
      if (viewAfter < Infinity && played >= Math.min(viewAfter, duration / 2 || viewAfter)) {
        beat.view = true;
        played = NaN;
      }
      first = beat.end_sec + 1;
    }
    // The newest heartbeats tell where the viewer is, so the oldest go.
    waiting.splice(0, waiting.length - MAX_WAITING);
    beatLater();
  }

  function beatLater() {
    if (waiting.length + outbox.length) timer ??= setTimeout(beat, BEAT_MS * (0.9 + 0.2 * Math.random()));
  }

  function beat() {
    on({ type: 'beat' });
    // The timer is cleared only here, or seconds that were just counted would wait for a beat of their own.
    timer = undefined;
    send();
  }

  /** Puts the heartbeats that wait longest into a batch with an id, under which they count once. */
  function seal(size = MAX_HEARTBEATS_PER_BATCH) {
    if (waiting.length) outbox.push({ batch_id: uuid(), heartbeats: waiting.splice(0, size), tried: 0 });
  }

  /** Sends everything now, unless the server asked to wait; promises true if all of it has arrived. */
  function send() {
    if (sending) return sending;
    if (failures && timer) return Promise.resolve(false);
    clearTimeout(timer);
    timer = undefined;
    sending = post()
      .catch(fault)
      .finally(() => {
        sending = undefined;
        beatLater();
        watchPage();
      });
    return sending;
  }

  async function post() {
    do {
      // An outage puts as little at risk as can be: a batch that was tried and never answered is lost in the end.
      if (!outbox.length) seal(failures ? 1 : undefined);
      const [batch] = outbox;
      if (!batch) break;
      const now = Date.now();
      batch.tried ||= now;
      let answer;
      /** @type {any} */
      let said;
      if (now - batch.tried < RETRY_MS) {
        try {
          answer = await fetch(keyedUrl, {
            method: 'POST',
            // A string is text/plain, which needs no preflight.
            body: body(batch),
            keepalive: true,
            credentials: 'omit',
            signal: AbortSignal.timeout?.(REQUEST_MS),
          });
          said = await answer.json();
        } catch {
          // The body is no answer of heatstrip's, so the status alone says what to do.
        }
        const status = answer?.status ?? 0;
        if (status === 401 || status === 403 || status === 410) {
          tell(status, `stopped, the server said ${status}`);
          detach();
          waiting = outbox = [];
          return false;
        }
        if (!status || status === 408 || status === 425 || status === 429 || status >= 500) {
          tell('away', `${url} does not answer (${status || 'no connection'}), trying again`);
          retryLater(answer?.headers.get('retry-after'));
          return false;
        }
        if (!answer?.ok || said?.rejected?.length) tell(status, `${status} ${JSON.stringify(said)}`);
        failures = 0;
      } else {
        tell('old', 'no answer for too long, some seconds are lost');
      }
      outbox = outbox.filter((other) => other !== batch);
    } while (outbox.length || failures || waiting.length >= MAX_HEARTBEATS_PER_BATCH);
    return !waiting.length;
  }

  function retryLater(/** @type {string | null | undefined} */ after) {
    failures += 1;
    const asked = Number(after) || (Date.parse(after ?? '') - Date.now()) / 1000 || 0;
    const seconds = Math.max(2 ** Math.min(failures, 6) / 2, Math.min(asked, MAX_RETRY_AFTER_SEC));
    clearTimeout(timer);
    timer = setTimeout(beat, 1000 * seconds * (1 + Math.random() / 2));
  }

  /** Leaves with the browser whatever is not on its way, because the page goes, perhaps for good. */
  function leave() {
    // Nothing plays until the page comes back, whatever the clock says then.
    if (head) head.moves = false;
    while (waiting.length) seal();
    outbox = outbox.filter((batch, index) => {
      const inFlight = index === 0 && sending && 'keepalive' in Request.prototype;
      return inFlight || !navigator.sendBeacon?.(keyedUrl, body(batch));
    });
    beatLater();
  }

  function on(/** @type {{type: string}} */ { type }) {
    try {
      if (!detached) sample(type);
      if (type === 'pagehide') leave();
      if (type === 'ended' || (type === 'visibilitychange' && document.hidden)) send();
    } catch (error) {
      fault(error);
    }
    watchPage();
  }

  function fault(/** @type {unknown} */ error) {
    head = undefined;
    tell('fault', error);
    return false;
  }

  /** Watches the page's coming and going while something plays or waits, so that nothing keeps a forgotten element. */
  function watchPage() {
    const listen = head?.moves || waiting.length + outbox.length ? addEventListener : removeEventListener;
    for (const type of PAGE_EVENTS) listen(type, on);
  }

  function detach() {
    if (detached) return;
    on({ type: 'detach' });
    detached = true;
    head = undefined;
    for (const type of MEDIA_EVENTS) media.removeEventListener(type, on);
    if (/** @type {any} */ (media)[CLIENT] === client) delete (/** @type {any} */ (media)[CLIENT]);
    send();
  }

  const client = {
    flush() {
      on({ type: 'flush' });
      return sending ? sending.then(send) : send();
    },
    detach,
  };
  /** @type {any} */ (media)[CLIENT]?.detach();
  /** @type {any} */ (media)[CLIENT] = client;
  for (const type of MEDIA_EVENTS) media.addEventListener(type, on);
  // The element may be playing already.
  on({ type: 'attach' });
  return client;
}

/** Returns a batch as it is sent: one that waited tells when its seconds were played. */
function body(/** @type {Batch} */ { batch_id, heartbeats }) {
  const at = (/** @type {number} */ ms) => (Date.now() - ms > FRESH_MS ? new Date(ms).toISOString() : undefined);
  return JSON.stringify({ batch_id, heartbeats: heartbeats.map((beat) => ({ ...beat, at: at(beat.at) })) });
}

/** Returns random bytes as hexadecimal digits, on pages without TLS too, where `crypto.randomUUID` does not work. */
const hex = (/** @type {number} */ bytes) =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => (256 + byte).toString(16).slice(1)).join('');

/** Returns a UUID of version 7; they arrive in order, which keeps the server's index small. */
function uuid() {
  const time = Date.now().toString(16).padStart(12, '0');
  const random = hex(9);
  return [
    time.slice(0, 8),
    time.slice(8),
    `7${random.slice(0, 3)}`,
    `8${random.slice(3, 6)}`,
    random.slice(6),
  ].join('-');
}

/** @type {string | null | undefined} */
let remembered;

/** Returns a random id that this browser keeps for this site, or for this page where storage is refused. */
function ownViewerId() {
  try {
    remembered ||= localStorage.getItem(STORAGE_KEY);
    if (!remembered) localStorage.setItem(STORAGE_KEY, (remembered = hex(16)));
  } catch {
    remembered ||= hex(16);
  }
  return remembered;
}
