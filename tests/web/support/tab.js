// A tab as people have it: hidden while another one is in front. Playwright's own pages believe to be in front always.

/**
 * Opens a tab in a window of its own and hands it to `use`.
 *
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 * @param {(tab: {evaluate: (script: string) => Promise<any>, hide: () => Promise<void>, show: () => Promise<void>}) => Promise<void>} use
 */
export async function withTab(browser, url, use) {
  const session = await browser.newBrowserCDPSession();
  const { targetId } = await session.send('Target.createTarget', { url, newWindow: true });
  const { sessionId } = await session.send('Target.attachToTarget', { targetId, flatten: false });
  const answers = new Map();
  session.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { id, result, error } = JSON.parse(message);
    answers.get(id)?.(result ?? { exceptionDetails: { text: error?.message }, result: {} });
  });
  const evaluate = async (expression) => {
    const id = answers.size + 1;
    const answered = new Promise((resolve) => answers.set(id, resolve));
    const params = { expression, awaitPromise: true, returnByValue: true };
    const message = JSON.stringify({ id, method: 'Runtime.evaluate', params });
    await session.send('Target.sendMessageToTarget', { sessionId, message });
    const { result, exceptionDetails } = await answered;
    if (exceptionDetails) throw new Error(`${exceptionDetails.text} ${result.description}`);
    return result.value;
  };
  const becomes = (state) =>
    evaluate(`new Promise((resolve) => {
      const look = () => document.visibilityState === '${state}' && resolve();
      document.addEventListener('visibilitychange', look);
      look();
    })`);
  const others = [];
  try {
    await use({
      evaluate,
      async hide() {
        others.push((await session.send('Target.createTarget', { url: 'about:blank' })).targetId);
        await becomes('hidden');
      },
      async show() {
        await session.send('Target.activateTarget', { targetId });
        await becomes('visible');
      },
    });
  } finally {
    for (const target of [...others, targetId]) await session.send('Target.closeTarget', { targetId: target });
    await session.detach();
  }
}
