// What the tests do with a page or a frame, in any browser: a part of playwright's Page, so that the set-up of the Chromium
// tests can be used.

import { setTimeout as sleep } from "node:timers/promises";

export class View {
  /** `run(script, text)` calls the function in the page with the text, and resolves with the text that it returns. */
  constructor(run) {
    this.run = run;
  }

  /** Calls a function in the page. Its argument and its result are passed as JSON. */
  async evaluate(f, argument = null) {
    const { value, error } = JSON.parse(await this.run(`async (text) => {
      try {
        return JSON.stringify({ value: await (${f})(JSON.parse(text)) });
      } catch (e) {
        return JSON.stringify({ error: String(e) + "\\n" + e?.stack });
      }
    }`, JSON.stringify(argument)));
    if (error !== undefined) throw new Error(`in the page: ${error}`);
    return value;
  }

  /** Waits until a function in the page returns something that is true. Resolves with the time that it took, in ms. */
  async waitForFunction(f, argument, { timeout = 20_000, polling = 10 } = {}) {
    const start = performance.now();
    for (; performance.now() - start < timeout; await sleep(polling)) {
      if (await this.evaluate(f, argument)) return performance.now() - start;
    }
    throw new Error(`not true within ${timeout} ms: ${f} ${JSON.stringify(argument)}`);
  }
}
