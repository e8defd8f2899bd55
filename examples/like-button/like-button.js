// A like button: it shows at once what was clicked, sends it until it is known, and says so honestly when it is not.
//
// It talks to your own backend (server.js beside it), never to heatstrip: only the backend knows who is logged in, and only it
// holds the key.

/** Milliseconds before each try; then it is given up. */
const TRIES = [0, 500, 2000, 5000];

/**
 * @param {HTMLButtonElement} button gets `aria-pressed` and its text
 * @param {{url: string, status?: HTMLElement, fetch?: typeof fetch, sleep?: (ms: number) => Promise<void>}} options
 *   `url` answers GET and POST with `{liked, total}`; `status` is a live region for what went wrong
 */
export function likeButton(button, { url, status, fetch = globalThis.fetch, sleep = pause }) {
  /** What the server said last. */
  let known = { liked: false, total: 0 };
  /** What the person wants. */
  let wanted = false;
  let sending = false;

  const show = () => {
    const total = known.total + Number(wanted) - Number(known.liked);
    button.setAttribute("aria-pressed", String(wanted));
    button.textContent = `${wanted ? "♥" : "♡"} ${total}`;
  };
  const say = (text) => {
    if (status) status.textContent = text;
  };

  /** Sends until the server knows what is wanted; clicks in between only change what that is. */
  const send = async () => {
    if (sending) return;
    sending = true;
    try {
      while (wanted !== known.liked) {
        // An id of its own for each change of mind: a retry that comes late undoes nothing.
        const change = { liked: wanted, id: crypto.randomUUID() };
        known = await answered(() => fetch(url, {
          method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(change),
        }), sleep);
        show();
      }
      say("");
    } catch (problem) {
      // What is shown is what is known again, and the person is told.
      wanted = known.liked;
      show();
      say(problem.status === 401 ? "Log in to like this." : "That was not saved. Please try again.");
    } finally {
      sending = false;
    }
  };

  button.addEventListener("click", () => {
    wanted = !wanted;
    show();
    return send();
  });

  show();
  /** Settles once the first answer is shown. */
  return answered(() => fetch(url, { headers: { accept: "application/json" } }), sleep).then((answer) => {
    // Whoever clicked meanwhile goes on wanting what they wanted.
    if (!sending) wanted = answer.liked;
    known = answer;
    show();
  }, () => say("The likes cannot be shown right now."));
}

/** The answer of a request, which is made again where that may help. */
async function answered(request, sleep) {
  let problem;
  for (const wait of TRIES) {
    await sleep(wait);
    try {
      const response = await request();
      if (response.ok) return await response.json();
      problem = Object.assign(new Error(`answered ${response.status}`), { status: response.status });
      // Nothing is gained by saying the same again to who understood and refused.
      if (response.status < 500 && response.status !== 429) break;
    } catch (error) {
      problem = error;
    }
  }
  throw problem;
}

const pause = (ms) => new Promise((go) => setTimeout(go, ms));
