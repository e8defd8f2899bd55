// A network that loses an answer: the server counted, the player does not know.

import { createServer } from 'node:http';

/** Forwards to `target`; the first answer to a post is lost, `answered` is the second one. */
export async function losingProxy(target) {
  let lost = false;
  let tell;
  const answered = new Promise((resolve) => (tell = resolve));
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const answer = await fetch(`${target}${request.url}`, { method: request.method, body: Buffer.concat(chunks) });
    const body = await answer.text();
    if (!lost) {
      lost = true;
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, { 'access-control-allow-origin': '*' }).end(body);
    tell(JSON.parse(body));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    answered,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
