// The connection of a device's page with the page that encloses it, if there is one. Messages of other pages are ignored.

export class ShellLink {
  #shell;
  #actions = new Map();
  #waiting = [];

  /** shell: the origin of the enclosing page. */
  constructor(shell) {
    this.#shell = shell;
    if (!this.enclosed) return;
    addEventListener("message", (event) => {
      if (event.source === parent && event.origin === shell && event.data?.type === "do") this.#run(event.data);
    });
    for (const type of ["pointerdown", "keydown"]) {
      addEventListener(type, (event) => {
        if (event.isTrusted && event.key !== "Tab" && event.key !== "Shift") this.post({ type: "touched" });
      }, { capture: true, passive: true });
    }
  }

  get enclosed() { return parent !== window; }

  post(message) {
    if (this.enclosed) parent.postMessage(message, this.#shell);
  }

  /** Sets what the page does when the enclosing page requests an action. */
  on(action, run) {
    this.#actions.set(action, run);
    for (const request of this.#waiting.splice(0)) this.#run(request);
  }

  async #run(request) {
    const run = this.#actions.get(request.action);
    if (!run) return void this.#waiting.push(request); // the page still starts
    try {
      this.post({ type: "done", id: request.id, value: await run(request) });
    } catch (error) {
      this.post({ type: "failed", id: request.id, message: String(error.message) });
    }
  }
}
