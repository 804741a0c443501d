// Pages whose workers block at chosen points (see worker/block.js), and whose process is then killed.

/** Opens a page of the lab in which each lane has a frame: one page starts much faster than many. Each lane is {id, frame}. */
export async function openFrames(browser, lab, lanes) {
  const page = await browser.context.newPage();
  await page.goto(lab.url);
  await page.evaluate((ids) => Promise.all(ids.map((id) => new Promise((resolve) => {
    const frame = Object.assign(document.createElement("iframe"), { name: `lane${id}`, src: "/", onload: resolve });
    document.body.append(frame);
  }))), lanes.map(({ id }) => id));
  for (const lane of lanes) lane.frame = page.frame(`lane${lane.id}`);
  return page;
}

/** The worker of the lane, for makeClient. */
export const killable = ({ id }) => `killable.js?id=${id}`;

/**
 * Tells the lane's worker where to block. Returns a function that waits until it does, and then returns the point. The lab
 * must call lane.blocked(point) when a worker of the lane blocks.
 */
export async function arm(lane, plan, timeout) {
  let timer;
  const blocked = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error("the worker did not come to this point")), timeout);
    lane.blocked = resolve;
  });
  blocked.catch(() => undefined); // handled by the function
  await lane.frame.evaluate((plan) => new Promise((resolve) => {
    const orders = new BroadcastChannel("block");
    orders.onmessage = ({ data }) => {
      if (data.armed !== plan.id) return;
      orders.close();
      resolve();
    };
    orders.postMessage({ plan });
  }), { id: lane.id, ...plan });
  return async () => {
    try {
      return await blocked;
    } finally {
      clearTimeout(timer);
      lane.blocked = undefined;
    }
  };
}

/** Kills the process in which the page, its frames and their workers run. */
export async function crash(page) {
  const session = await page.context().newCDPSession(page);
  const crashed = new Promise((resolve) => page.once("crash", resolve));
  session.send("Page.crash").catch(() => undefined); // the killed page does not answer
  await crashed;
  await page.close();
}
