// The backend of the like button: it knows who is logged in and holds heatstrip's `server` key; browsers get neither.
//
//   HEATSTRIP_URL=http://127.0.0.1:8080 node server.js

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const HEATSTRIP = process.env.HEATSTRIP_URL ?? "http://127.0.0.1:8080";
const KEY = process.env.HEATSTRIP_KEY;
const FILES = { "/": ["index.html", "text/html"], "/like-button.js": ["like-button.js", "text/javascript"] };

/** Asks heatstrip. */
async function ask(path, options = {}) {
  const headers = { "content-type": "application/json", ...(KEY && { authorization: `Bearer ${KEY}` }) };
  const response = await fetch(HEATSTRIP + path, { ...options, headers, signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw Object.assign(new Error(`heatstrip answered ${response.status}`), { status: response.status });
  return response.json();
}

/** Whether somebody likes a video, and how many do: one question. */
async function read(video, member) {
  const asked = new URLSearchParams({ object: `video:${video}`, kind: "like", member_id: member });
  const { objects: [{ counts: [like] }] } = await ask(`/v1/counts?${asked}`);
  return { liked: like.did, total: like.total };
}

/** Likes or unlikes; said twice with one id it counts once. */
async function write(video, member, { liked, id }) {
  const count = { member_id: member, object_type: "video", object_id: video, kind: "like", delta: liked ? 1 : -1, id };
  await ask("/v1/counts", { method: "POST", body: JSON.stringify(count) });
  // What holds now, which is not what was asked for if this was a late retry.
  return read(video, member);
}

/** Stands for your sessions: whoever comes is the cookie it has. */
const member = (request) => /(?:^|; )member=([\w-]{1,64})/.exec(request.headers.cookie ?? "")?.[1];

async function body(request) {
  let text = "";
  for await (const part of request) {
    text += part;
    if (text.length > 1000) throw Object.assign(new Error("too large"), { status: 413 });
  }
  return JSON.parse(text);
}

export const server = createServer(async (request, response) => {
  const answer = (status, value) => response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" }).end(JSON.stringify(value));
  try {
    const { pathname } = new URL(request.url, "http://localhost");
    if (FILES[pathname]) {
      const [file, type] = FILES[pathname];
      const text = await readFile(fileURLToPath(new URL(file, import.meta.url)));
      const cookie = member(request) ? {} : { "set-cookie": `member=${crypto.randomUUID()}; HttpOnly; SameSite=Lax; Path=/` };
      return response.writeHead(200, { "content-type": type, ...cookie }).end(text);
    }
    const video = /^\/likes\/([^/]+)$/.exec(pathname)?.[1];
    if (!video) return answer(404, {});
    const who = member(request);
    if (!who) return answer(401, {});
    const name = decodeURIComponent(video);
    return answer(200, request.method === "POST" ? await write(name, who, await body(request)) : await read(name, who));
  } catch (problem) {
    // A browser may try again after a 503; a refusal stays one.
    const refused = problem instanceof SyntaxError || (problem.status >= 400 && problem.status < 500);
    return answer(refused ? 400 : 503, {});
  }
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  server.listen(Number(process.env.PORT ?? 8090), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/`));
}
