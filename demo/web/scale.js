// Measures a catch-up beside the whole list, for an account that follows as many feeds as the slider says. A client of its
// own, in a hidden frame, gets the whole list, is disconnected while three feeds change, and connects again.

import { element } from "./elements.js";
import { sleep } from "./time.js";
import { bytesText, msText } from "./traffic.js";

const steps = [10, 30, 100, 300, 1000, 3000, 10_000];
const settled = 300; // ms without a move of the slider, after which it is measured: an arrow key moves it at each press
const patience = 10_000; // ms while another measurement of this server runs

export class Scale {
  #parts;
  #turn; // an AbortController: it is aborted when another measurement replaces this one
  #timer;
  #origin;
  #report;

  /**
   * parts: {slider, count, run, whole, catchUp, wholeBar, catchUpBar, time}; url: of a device's port, which serves
   * measure.html; largest: the largest number of feeds of this server; report: called with an error.
   */
  constructor(parts, url, largest, report) {
    this.#parts = parts;
    this.#origin = new URL(url).origin;
    this.#report = report;
    const possible = steps.filter((n) => n <= largest);
    parts.slider.max = String(possible.length - 1);
    parts.slider.addEventListener("input", () => this.#showCount());
    parts.slider.addEventListener("change", () => {
      this.#turn?.abort();
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.measure(), settled);
    });
    this.steps = possible;
    this.#showCount();
  }

  get feeds() { return this.steps[Number(this.#parts.slider.value)]; }

  #showCount() {
    const text = this.feeds.toLocaleString("en");
    this.#parts.count.value = text;
    this.#parts.slider.setAttribute("aria-valuetext", `${text} feeds`);
  }

  /** Measures at the slider's position, and shows the figures. Ends early if the slider moves meanwhile. */
  async measure() {
    clearTimeout(this.#timer);
    this.#turn?.abort();
    this.#turn = new AbortController();
    const { signal } = this.#turn;
    const { feeds } = this;
    this.#show("measuring", `Preparing ${feeds.toLocaleString("en")} feeds…`);
    try {
      const { account, password } = await ask(`/scale?feeds=${feeds}`, signal);
      this.#show("measuring", "Measuring…");
      const figures = await this.#run({ account, password }, signal);
      const { whole, catchUp } = figures;
      const { wholeBar, catchUpBar } = this.#parts;
      this.#parts.whole.value = `${bytesText(whole.bytes)} in ${msText(whole.ms)}`;
      this.#parts.catchUp.value = `${bytesText(catchUp.bytes)} in ${msText(catchUp.ms)}`;
      wholeBar.style.setProperty("--share", "1");
      catchUpBar.style.setProperty("--share", String(catchUp.bytes / whole.bytes));
      const times = Math.round(whole.bytes / catchUp.bytes);
      this.#show("done", `${times > 1 ? `${times} times less` : "No less with so few"}: three changes among ${whole.rows.toLocaleString("en")} feeds.`);
      return figures;
    } catch (error) {
      if (signal.aborted) return undefined;
      this.#show("failed", "");
      this.#report(error);
      return undefined;
    }
  }

  #show(state, text) {
    this.#parts.time.dataset.state = state;
    this.#parts.time.textContent = text;
  }

  /** Lets the client in the hidden frame measure; resolves with {whole: {bytes, ms, rows}, catchUp: {bytes, ms}}. */
  #run(login, signal) {
    signal.throwIfAborted();
    const frame = element("iframe", "hidden-client");
    frame.title = "A client that measures";
    frame.setAttribute("aria-hidden", "true");
    frame.tabIndex = -1;
    frame.src = `${this.#origin}/measure`;
    document.body.append(frame);
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        clearTimeout(timer);
        removeEventListener("message", receive);
        signal.removeEventListener("abort", replaced);
        frame.remove();
        settle(value);
      };
      const replaced = () => end(reject, signal.reason);
      const timer = setTimeout(() => end(reject, new Error("The measurement took more than a minute.")), 60_000);
      const receive = async ({ origin, source, data }) => {
        if (origin !== this.#origin || source !== frame.contentWindow) return;
        if (data.type === "started") source.postMessage({ type: "measure", ...login }, origin);
        else if (data.type === "away") {
          await ask("/scale/change", signal).catch((error) => end(reject, error));
          source.postMessage({ type: "return" }, origin);
        } else if (data.type === "measured") end(resolve, data);
        else if (data.type === "failed") end(reject, new Error(data.message));
      };
      addEventListener("message", receive);
      signal.addEventListener("abort", replaced);
    });
  }
}

/** Sends a request to the page's own server, again while another measurement runs there, and returns its answer. */
async function ask(path, signal) {
  for (const start = performance.now(); ; await sleep(500)) {
    const response = await fetch(path, { method: "POST", signal });
    const body = await response.json();
    if (response.ok) return body;
    if (response.status !== 409 || performance.now() - start > patience) throw new Error(body.error);
  }
}
