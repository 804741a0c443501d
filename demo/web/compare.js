// The comparison: the two devices of the page, and two that poll, do the same for half a minute. Every figure that it shows
// is measured in this run.

import { keyOf, PamSide, PollingSide } from "./sides.js";
import { request } from "./stage.js";
import { now, sleep } from "./time.js";

const length = 30_000; // ms
const every = 5000; // ms between polls
const newest = 3; // entries of a feed that a poll asks for

/** What happens: [ms after the start, what]. Each entry has more than the time between two polls to be fetched. */
const script = (a, b) => [
  [1000, { by: 0, follow: a }],
  [3500, { publish: a, count: 1 }],
  [6000, { by: 1, follow: b }],
  [8500, { publish: b, count: 5 }],
  [12_000, { publish: a, count: 1 }],
  [14_500, { by: 0, readAll: true }],
  [17_000, { publish: b, count: 2 }],
  [22_800, { by: 1, unfollow: b }],
  [24_000, { publish: a, count: 2 }],
];

export class Comparison {
  #stage;
  #info;
  #view;
  #idle;
  #stopped; // an AbortController while it runs

  /**
   * info: that of the server, see /info.json; view: see ComparisonView; idle: called before a run, resolves when no other
   * part of the page uses the devices.
   */
  constructor(stage, info, view, idle = () => {}) {
    this.#stage = stage;
    this.#info = info;
    this.#view = view;
    this.#idle = idle;
  }

  get running() { return this.#stopped !== undefined; }

  stop(reason = new Error("it was stopped")) {
    this.#stopped?.abort(reason);
  }

  /** Runs the comparison, unless it runs. Resolves when all is as it was before. */
  async run() {
    if (this.running) return;
    this.#stopped = new AbortController();
    const { signal } = this.#stopped;
    const stopped = new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    stopped.catch(() => {});
    const panes = ["Phone", "Laptop"].map((name) => this.#stage.get(name));
    let sides = [];
    let outcome;
    this.#view.begin();
    try {
      this.#view.say("Both sides get ready…");
      await Promise.race([this.#idle(), stopped]);
      const live = () => panes.every((pane) => pane?.state?.phase === "live");
      await this.#stage.until(live, 5000).catch(() => { throw new Error("a device is away. Bring both devices online first."); });
      const feeds = this.#feeds(panes[0]);
      sides = this.#sides(panes, feeds.map((feed) => feed.name));
      await Promise.race([Promise.all(sides.map((side) => side.prepare())), stopped]);
      await this.#play(sides, panes, feeds, stopped);
      outcome = this.#view.summary(sides.map((side) => resultOf(side, now())));
    } catch (error) {
      outcome = sentence(`The comparison has ended: ${error.message}`);
    }
    const ends = await Promise.allSettled(sides.map((side) => side.end()));
    const failed = ends.find((end) => end.status === "rejected");
    this.#view.say(failed ? sentence(`${outcome} The list could not be restored: ${failed.reason.message}`) : outcome);
    this.#stopped = undefined;
    this.#view.end();
  }

  /** Runs the script; rejects when `stopped` does. */
  async #play(sides, panes, [a, b], stopped) {
    const start = now();
    const show = () => this.#view.show(sides.map((side) => resultOf(side, now())), start, length);
    const ticking = setInterval(show, 200);
    const actions = [];
    try {
      for (const side of sides) side.start(start);
      for (const [ms, step] of script(a, b)) {
        await Promise.race([sleep(start + ms - now()), stopped]);
        this.#view.say(wordsOf(step, panes), (now() - start) / 1000);
        actions.push(this.#act(sides, step));
        actions.at(-1).catch((error) => this.stop(error));
      }
      await Promise.race([sleep(start + length - now()), stopped]);
      show();
    } finally {
      clearInterval(ticking);
      await Promise.allSettled(actions); // before the list is restored
    }
  }

  #act(sides, step) {
    if (step.publish) return this.#publish(sides, step, now());
    return Promise.all(sides.map((side) => {
      if (step.readAll) return side.readAll(step.by);
      return step.follow ? side.follow(step.by, step.follow.name) : side.unfollow(step.by, step.unfollow.name);
    }));
  }

  async #publish(sides, { publish, count }, at) {
    const { items } = await request("POST", "/publish", { node: publish.name, count });
    for (const side of sides) for (const id of items) side.tally.published(keyOf(publish.name, id), at);
  }

  /** Returns two open feeds, if possible ones that the account does not follow. */
  #feeds(pane) {
    const open = this.#info.nodes.filter((node) => node.access === "open");
    return open.toSorted((a, b) => pane.follows(a.name) - pane.follows(b.name)).slice(0, 2);
  }

  #sides(panes, nodes) {
    const { accounts, domain, pubsub, socket } = this.#info;
    const { name, password } = accounts.find((account) => account.name === "bob") ?? accounts.at(-1);
    const polling = new PollingSide({
      urls: panes.map((pane) => new URL(socket, pane.url.replace(/^http/, "ws")).href),
      names: panes.map((pane) => pane.name),
      nodes, domain, account: name, password, service: pubsub, every, newest, failed: (error) => this.stop(error),
    });
    return [new PamSide(this.#stage, panes, nodes), polling];
  }
}

const resultOf = (side, at) => ({ at, ...side.tally.result(at), ...side.bytes, differences: side.differences() });

/** Ends a text with a full stop. */
const sentence = (text) => text.replace(/\.?$/, ".");

function wordsOf({ by, follow, unfollow, readAll, publish, count }, panes) {
  if (publish) return `${publish.title ?? publish.name} publishes ${count === 1 ? "an entry" : `${count} entries`}`;
  const { name } = panes[by];
  if (readAll) return `All entries are read on ${name}`;
  return follow ? `${name} follows ${follow.title ?? follow.name}` : `${name} unfollows ${unfollow.title ?? unfollow.name}`;
}
