// Records CPU profiles of a page and its workers, for the browser's developer tools.

/** Runs work under the profiler, and passes each target's profile to save. */
export async function profiled(browser, page, work, save) {
  const session = await page.context().newCDPSession(page);
  const targets = [["page", session]];
  const attached = [];
  session.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => attached.push([targetInfo.type, sessionId]));
  // Messages to workers are nested in messages to their page.
  let last = 0;
  const waiting = new Map();
  session.on("Target.receivedMessageFromTarget", ({ message }) => {
    const { id, result } = JSON.parse(message);
    waiting.get(id)?.(result);
  });
  await session.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  for (const [type, sessionId] of attached) {
    targets.push([type, {
      send: (method, params = {}) => new Promise((resolve) => {
        const id = ++last;
        waiting.set(id, resolve);
        void session.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify({ id, method, params }) });
      }),
    }]);
  }
  for (const [, target] of targets) {
    await target.send("Profiler.enable");
    await target.send("Profiler.setSamplingInterval", { interval: 200 });
    await target.send("Profiler.start");
  }
  const result = await work();
  for (const [name, target] of targets) save(name, JSON.stringify((await target.send("Profiler.stop")).profile));
  return result;
}
