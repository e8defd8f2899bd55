// The like button of the examples: optimistic, and honest on failure. With its backend on a real heatstrip.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';

import { likeButton } from '../../examples/like-button/like-button.js';
import { startHeatstrip } from './support/heatstrip.js';

/** As much of a button as the module uses. */
function fakeButton() {
  const attributes = {};
  return {
    textContent: '',
    attributes,
    setAttribute: (name, value) => (attributes[name] = value),
    addEventListener(_, listener) {
      this.click = listener;
    },
  };
}

const asJson = (value, status = 200) => new Response(JSON.stringify(value), { status });
const sleep = async () => {};

test('it shows what was clicked at once, and what the server says then', async () => {
  const [button, status] = [fakeButton(), { textContent: '' }];
  let answer = () => asJson({ liked: false, total: 7 });
  await likeButton(button, { url: '/likes/a', status, sleep, fetch: async () => answer() });
  assert.equal(button.textContent, '♡ 7');
  let go;
  const waiting = new Promise((resolve) => (go = resolve));
  answer = () => waiting;
  const clicked = button.click();
  assert.equal(button.textContent, '♥ 8');
  assert.equal(button.attributes['aria-pressed'], 'true');
  go(asJson({ liked: true, total: 12 }));
  await clicked;
  assert.equal(button.textContent, '♥ 12', 'others like it too');
});

test('a failure takes it back and says so; a retry has the same id', async () => {
  const [button, status, sent] = [fakeButton(), { textContent: '' }, []];
  let fails = true;
  const fetch = async (_, { method, body }) => {
    if (method !== 'POST') return asJson({ liked: false, total: 7 });
    sent.push(JSON.parse(body));
    if (fails) throw new TypeError('no network');
    return asJson({ liked: true, total: 8 });
  };
  await likeButton(button, { url: '/likes/a', status, sleep, fetch });
  await button.click();
  assert.equal(button.textContent, '♡ 7');
  assert.match(status.textContent, /not saved/);
  assert.equal(new Set(sent.map(({ id }) => id)).size, 1, 'one change, one id');
  assert.ok(sent.length > 1);
  fails = false;
  await button.click();
  assert.equal(button.textContent, '♥ 8');
  assert.equal(status.textContent, '');
  assert.notEqual(sent.at(-1).id, sent[0].id);
});

test('whoever clicks twice while it is sent ends where they want to be', async () => {
  const [button, sent] = [fakeButton(), []];
  let liked = false;
  const fetch = async (_, { method, body }) => {
    if (method === 'POST') {
      sent.push(JSON.parse(body));
      ({ liked } = sent.at(-1));
    }
    return asJson({ liked, total: Number(liked) });
  };
  await likeButton(button, { url: '/likes/a', sleep, fetch });
  const first = button.click();
  button.click();
  button.click();
  await first;
  assert.equal(button.textContent, '♥ 1');
  assert.equal(sent.length, 1, 'what cancels out is not sent');
});

test('the backend likes and unlikes on a real heatstrip', async () => {
  const heatstrip = await startHeatstrip();
  after(() => heatstrip.stop());
  process.env.HEATSTRIP_URL = heatstrip.url;
  const { server } = await import('../../examples/like-button/server.js');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  const origin = `http://127.0.0.1:${server.address().port}`;
  const as = (cookie) => (path, options) => fetch(origin + path, { ...options, headers: { ...options?.headers, ...(cookie && { cookie }) } });
  assert.equal((await as('')('/likes/a')).status, 401);
  const [page] = (await as('')('/')).headers.getSetCookie();
  assert.match(page, /^member=[\w-]+; HttpOnly/);
  for (const [member, total] of [['ann', 1], ['bob', 2]]) {
    const button = fakeButton();
    await likeButton(button, { url: '/likes/a%20b', sleep, fetch: as(`member=${member}`) });
    await button.click();
    assert.equal(button.textContent, `♥ ${total}`);
  }
  const button = fakeButton();
  await likeButton(button, { url: '/likes/a%20b', sleep, fetch: as('member=ann') });
  assert.equal(button.textContent, '♥ 2');
  await button.click();
  assert.equal(button.textContent, '♡ 1');
});
