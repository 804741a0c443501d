// Measures a catch-up beside the whole list, for an account that follows as many feeds as the slider says. A client of its
// own, in a hidden frame, gets the whole list, is disconnected while three feeds change, and connects again.

import { element } from "./elements.js";
import { request } from "./stage.js";
import { bytesText, msText } from "./traffic.js";

const steps = [10, 30, 100, 300, 1000, 3000, 10_000];

export class Scale {
  #parts;
  #frame;
  #turn = 0;
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
    parts.slider.addEventListener("change", () => this.measure().catch(report));
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
    const turn = ++this.#turn;
    const { feeds } = this;
    this.#show("measuring", `Preparing ${feeds.toLocaleString("en")} feeds…`);
    try {
      const { account, password } = await request("POST", "/scale", { feeds });
      if (turn !== this.#turn) return undefined;
      this.#show("measuring", "Measuring…");
      const figures = await this.#run({ account, password });
      if (turn !== this.#turn) return undefined;
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
      if (turn === this.#turn) this.#show("failed", "");
      this.#report(error);
      return undefined;
    }
  }

  #show(state, text) {
    this.#parts.time.dataset.state = state;
    this.#parts.time.textContent = text;
  }

  /** Lets the client in the hidden frame measure; resolves with {whole: {bytes, ms, rows}, catchUp: {bytes, ms}}. */
  #run(login) {
    this.#frame?.remove();
    const frame = this.#frame = element("iframe", "hidden-client");
    frame.title = "A client that measures";
    frame.setAttribute("aria-hidden", "true");
    frame.tabIndex = -1;
    frame.src = `${this.#origin}/measure`;
    document.body.append(frame);
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        clearTimeout(timer);
        removeEventListener("message", receive);
        frame.remove();
        settle(value);
      };
      const timer = setTimeout(() => end(reject, new Error("The measurement took more than a minute.")), 60_000);
      const receive = async ({ origin, source, data }) => {
        if (origin !== this.#origin || source !== frame.contentWindow) return;
        if (data.type === "started") source.postMessage({ type: "measure", ...login }, origin);
        else if (data.type === "away") {
          await request("POST", "/scale/change").catch((error) => end(reject, error));
          source.postMessage({ type: "return" }, origin);
        } else if (data.type === "measured") end(resolve, data);
        else if (data.type === "failed") end(reject, new Error(data.message));
      };
      addEventListener("message", receive);
    });
  }
}
