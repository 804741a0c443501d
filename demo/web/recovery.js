// Breaks something, and measures how long it takes until the device works again.

import { request } from "./stage.js";
import { now } from "./time.js";
import { msText } from "./traffic.js";

const breaks = {
  /** The tab of a device is closed and opened again. */
  async tab(stage, pane) {
    const query = new URL(pane.frame.src).search;
    pane.close();
    const at = now();
    const shown = stage.next(pane, "listed", (m) => m.source === "cache");
    const live = stage.next(pane, "live");
    pane.open(query);
    const [stored, connected] = await Promise.all([shown, live]);
    return [connected.at - at, `Tab closed and opened again: the stored list was on screen after ${msText(stored.at - at)}, ${connected.resumed ? "and the session was resumed" : "and the device was live"} after ${msText(connected.at - at)}.`];
  },
  /** An uncaught error ends the worker in which the program runs. */
  async worker(stage, pane) {
    const at = now();
    const live = stage.next(pane, "live", () => true, 60_000);
    await pane.do("fail");
    const connected = await live;
    return [connected.at - at, `Worker killed: the page started another program, which was live after ${msText(connected.at - at)}.`];
  },
  /** The socket is reset, as when a router restarts. */
  async socket(stage, pane) {
    const at = now();
    const live = stage.next(pane, "live");
    await request("POST", `/devices/${pane.id}/cut`);
    const connected = await live;
    return [connected.at - at, `Socket cut: ${connected.resumed ? "the session was resumed" : "the device was live again"} after ${msText(connected.at - at)}.`];
  },
  /** The XMPP server stops and starts again. */
  async server(stage, pane) {
    const at = now();
    const connected = [...stage.panes.values()].filter((p) => p.state?.phase === "live");
    if (connected.length === 0) throw new Error("No device is connected: bring one online first.");
    const live = Promise.all(connected.map((p) => stage.next(p, "live", () => true, 60_000)));
    const { ms } = await request("POST", "/restart");
    const last = Math.max(...(await live).map((m) => m.at));
    const names = connected.map((p) => p.name).join(" and ");
    return [last - at, `Server restarted within ${msText(ms)}: all sessions were lost; ${names} live after ${msText(last - at)}.`];
  },
};

/**
 * Connects the buttons with data-break in a box; what they break is the device that `pane` returns. The outcome is shown in
 * the button's row, and passed to `ended`.
 */
export function connectBreaks(box, stage, pane, { begun, ended, report }) {
  let busy = false;
  box.addEventListener("click", async ({ target }) => {
    const button = target.closest("[data-break]");
    if (!button || busy) return;
    const broken = pane();
    begun();
    if (button.dataset.break !== "server" && broken.state?.phase !== "live") {
      ended(`${broken.name} is not connected: bring it online first.`);
      return;
    }
    busy = true;
    const row = button.closest("li");
    const time = row.querySelector("output");
    row.dataset.state = "broken";
    time.value = "…";
    try {
      const [ms, words] = await breaks[button.dataset.break](stage, broken);
      time.value = msText(ms);
      row.querySelector("p").textContent = words;
      ended(words);
      row.dataset.state = "recovered";
    } catch (error) {
      time.value = "–";
      row.dataset.state = "";
      report(error);
    } finally {
      busy = false;
    }
  });
}
