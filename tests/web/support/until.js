// Waiting for what cannot be awaited.

const LIMIT_MS = 60_000;
const POLL_MS = 30;

/** Looks again and again until something holds, and fails when it does not for too long. */
export async function until(holds) {
  for (const late = Date.now() + LIMIT_MS; !(await holds()); ) {
    if (Date.now() > late) throw new Error(`waited in vain until ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
