// The page plays by itself until the visitor touches it: a finger presses the buttons of the devices. What the devices do
// then is what they do for a visitor. With reduced motion, the visitor gets the same as steps.

import { sleep } from "./time.js";
import { msText } from "./traffic.js";

const rest = 2200; // ms after a step, to look at it

export class Play extends EventTarget {
  #stage;
  #delays;
  #network;
  #ledger;
  #next = 0;
  #busy;
  #running = false;
  #taken = false; // the visitor has taken over during a step
  #steps;
  /** How many steps have ended with both devices equal. */
  rests = 0;

  /** ledger: called with a report of a return (see network.js). */
  constructor(stage, delays, network, ledger) {
    super();
    this.#stage = stage;
    this.#delays = delays;
    this.#network = network;
    this.#ledger = ledger;
    this.#steps = this.#script();
  }

  get running() { return this.#running; }
  /** Resolves when no step runs. */
  async idle() { await this.#busy; }
  get length() { return this.#steps.length; }
  /** The number of the next step, from 1. */
  get number() { return this.#next + 1; }

  /** Plays until stop() is called, or a step fails. One page plays at a time: others have the same account. */
  start() {
    if (this.#running) return undefined;
    this.#running = true;
    this.#taken = false;
    this.#changed();
    return navigator.locks.request("play", { ifAvailable: true }, (lock) => {
      if (lock) return this.#play();
      this.#running = false;
      this.#changed();
      this.#say("Another tab of this page is playing.");
      return undefined;
    });
  }

  async #play() {
    while (this.#running) {
      if (document.hidden) {
        await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
      }
      if (!this.#running || !await this.step()) break;
      await sleep(rest);
    }
    this.#running = false;
    this.#changed();
  }

  /** Ends the play, also within a step: the finger presses nothing more. */
  stop() {
    this.#taken = this.#busy !== undefined;
    if (!this.#running) return;
    this.#running = false;
    this.#changed();
  }

  /** Runs the next step, and returns whether it succeeded. */
  step() {
    this.#busy ??= this.#step().finally(() => { this.#busy = undefined; });
    return this.#busy;
  }

  async #step() {
    const step = this.#steps[this.#next];
    this.#taken = false;
    try {
      this.#say(step.begins);
      this.#say(await step.run() ?? step.begins);
      await this.#equal();
      this.rests++;
      this.#next = (this.#next + 1) % this.#steps.length;
      return true;
    } catch (error) {
      this.#next = 0; // the first step gets all ready again
      this.#say(`${error.message} The page has stopped playing by itself.`);
      return false;
    } finally {
      this.#changed();
    }
  }

  /** Throws if the visitor has taken over. */
  #check() {
    if (this.#taken) throw new Error("It is yours.");
  }

  #changed() { this.dispatchEvent(new CustomEvent("change")); }
  #say(text) {
    if (!this.#taken) this.dispatchEvent(new CustomEvent("say", { detail: text })); // else the page shows what the visitor does
  }

  get #phone() { return this.#stage.get("Phone"); }
  get #laptop() { return this.#stage.get("Laptop"); }

  /** Resolves when both devices show the same list and the same number of unread entries, unless one is away. */
  #equal() {
    const [phone, laptop] = [this.#phone, this.#laptop];
    if (this.#network.position(phone) !== "online") return undefined;
    const view = (pane) => pane.state && JSON.stringify([pane.state.ver, pane.state.unseen, pane.state.rows.map((r) => [r.node, r.local])]);
    return this.#stage.until(() => view(phone) === view(laptop), 10_000, "Both devices to be equal");
  }

  /** Presses a feed's button on a device; resolves with the delay until the other one shows it. */
  async #press(pane, node) {
    this.#check();
    const other = pane === this.#phone ? this.#laptop : this.#phone;
    const delay = this.#delay((d) => d.node === node && d.to === other.name);
    await pane.do("press", { node });
    return delay;
  }

  #delay(accepts, count = 1) {
    const delays = [];
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => end(reject, new Error("A device did not show the change within 15 s.")), 15_000);
      const end = (settle, value) => {
        clearTimeout(timer);
        this.#delays.removeEventListener("delay", hear);
        settle(value);
      };
      const hear = ({ detail }) => {
        if (!accepts(detail)) return;
        delays.push(detail);
        if (delays.length === count) end(resolve, count === 1 ? detail : delays);
      };
      this.#delays.addEventListener("delay", hear);
    });
  }

  async #publish(node, count = 1) {
    this.#check();
    const shown = this.#delay((d) => d.what === "publish" && d.node === node, 2);
    await this.#delays.publish(node, { count });
    const [one, two] = await shown;
    return `${one.to} showed it after ${msText(one.ms)}, ${two.to} after ${msText(two.ms)}.`;
  }

  /**
   * Lets something happen while the phone is away, on the laptop and at the publishers. Returns what has happened as a
   * sentence. `goesOn` is called before each action: if it returns false, nothing more happens.
   */
  async meanwhile(goesOn = () => true) {
    const laptop = this.#laptop;
    if (laptop.state?.phase !== "live") return "Laptop is not connected, so nothing happens there.";
    const done = [];
    const actions = [
      ["City news followed", () => laptop.follows("news") || this.#pressUntil(laptop, "news", true)],
      ["two entries", () => void this.#delays.publish("news", { count: 2 })],
      ["Weather followed", () => laptop.follows("weather") || this.#pressUntil(laptop, "weather", true)],
      ["Photo gallery unfollowed", () => !laptop.follows("gallery") || this.#pressUntil(laptop, "gallery", false)],
      ["another entry", () => void this.#delays.publish("news")],
      ["all read", () => void laptop.do("readAll")],
    ];
    for (const [what, act] of actions) {
      if (!goesOn()) return "";
      if (await act() === true) continue; // it was so already
      done.push(what);
      await sleep(700);
    }
    return `Meanwhile on Laptop: ${done.join(", ")}.`;
  }

  /** Presses a feed's button, and waits until the list has changed. */
  async #pressUntil(pane, node, follows) {
    await pane.do("press", { node });
    await this.#stage.until(() => pane.follows(node) === follows, 10_000, pane.name);
  }

  /** Gets both devices ready to begin: online, no feed followed, nothing unread. */
  async #tidy() {
    for (const pane of [this.#phone, this.#laptop]) {
      await this.#network.set(pane, "online");
      await this.#stage.until(() => pane.state?.phase === "live", 20_000, `${pane.name} to be connected`);
    }
    const phone = this.#phone;
    if (phone.state.unseen > 0) await phone.do("readAll");
    for (const { node } of phone.state.rows) {
      this.#check();
      await phone.do("press", { node });
      await this.#stage.until(() => !phone.follows(node) && !this.#laptop.follows(node), 10_000, "The list to be empty");
    }
  }

  #script() {
    return [
      {
        begins: "A finger taps Follow on the phone…",
        run: async () => {
          await this.#tidy();
          return `Followed on Phone, on Laptop after ${msText((await this.#press(this.#phone, "news")).ms)}.`;
        },
      },
      { begins: "City news publishes two entries…", run: async () => `City news has published two entries. ${await this.#publish("news", 2)}` },
      {
        begins: "It is read on the laptop…",
        run: async () => {
          this.#check();
          const seen = this.#delay((d) => d.what === "seen" && d.to === "Phone");
          await this.#laptop.do("readAll");
          return `Read on Laptop, read on Phone after ${msText((await seen).ms)}.`;
        },
      },
      { begins: "Now the laptop follows a feed…", run: async () => `Followed on Laptop, on Phone after ${msText((await this.#press(this.#laptop, "gallery")).ms)}.` },
      { begins: "The gallery publishes a picture…", run: async () => `Photo gallery has published a picture. ${await this.#publish("gallery")}` },
      {
        begins: "The phone goes on a journey…",
        run: async () => {
          await this.#network.set(this.#phone, "week");
          return "Phone is away, and its session has ended, as after a week. The laptop goes on…";
        },
      },
      {
        begins: "Meanwhile, on the laptop…",
        run: async () => {
          const words = await this.meanwhile(() => !this.#taken);
          this.#check();
          return words;
        },
      },
      {
        begins: "The phone is back…",
        run: async () => {
          const report = await this.#network.set(this.#phone, "online");
          await this.#ledger(report);
          return `Phone is up to date after ${msText(report.ms)}: it knows what came and went, what was published and when, and what was read on Laptop.`;
        },
      },
      {
        begins: "The phone’s owner reads what was missed…",
        run: async () => {
          await this.#phone.do("close");
          if (this.#phone.state.unseen > 0) await this.#phone.do("readAll");
          return "Read on Phone, and on Laptop.";
        },
      },
    ];
  }
}
