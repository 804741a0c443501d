// The entries on the page of a device, what is unread, and what has happened while the device was away.

import { element } from "./elements.js";
import { EntryList } from "./entries.js";
import { notice, showError } from "./notices.js";
import { now } from "./time.js";
import { awayWords, completenessWords, feedName, seenWords } from "./words.js";

const $ = (id) => document.getElementById(id);

export class InboxView {
  #client;
  #shell;
  #titles;
  #changed;
  #entries;
  #older = []; // those after the newest ones, which the client keeps up to date
  #cursor; // of the page after them
  #arrived = new Set(); // ids of events that are not on the page yet
  #returning = false; // the summary of what has happened must be shown, as soon as it is complete

  /** shell: the ShellLink; titles: node → title of a feed; changed: called when the counts of unread entries have changed. */
  constructor(client, shell, titles, changed) {
    this.#client = client;
    this.#shell = shell;
    this.#titles = titles;
    this.#changed = changed;
    this.#entries = new EntryList($("entries"), titles, (event) => {
      if (event.seen.state === "unseen") this.#mark([event.id], event);
    });
    $("read-all").addEventListener("click", () => this.#markAll().catch(showError));
    $("older").addEventListener("click", () => this.#showOlder(true).catch(showError));
    $("away-close").addEventListener("click", () => this.acknowledge());
  }

  start() {
    this.#client.on("events", ({ added }) => {
      if (added.some((e) => e.delivery !== "live")) this.#returning = true; // the state follows
      this.#arrived = new Set([...this.#arrived, ...added.map((e) => e.id)].slice(-100));
    });
    this.#client.inbox.newest.subscribe(() => this.#showEntries());
    this.#client.inbox.subscribe(() => this.#showState());
    this.#client.on("warning", (error) => $("error").hidden && notice(error.message));
  }

  /** The button of the newest entry that is unread. */
  get newestUnread() { return this.#entries.newestUnread(); }

  /** Notes that the user has seen all that has happened until now, unless a summary is still shown. */
  async looked() {
    if ($("away").hidden) await this.#client.inbox.looked().catch(() => undefined);
  }

  /** Closes the summary, because the user goes on: what this device does now is not what it has missed. */
  acknowledge() {
    $("away").hidden = true;
    return this.looked();
  }

  /** The device is connected in a new session: a summary follows, also if the catch-up has ended already. */
  returned() {
    setTimeout(() => {
      this.#returning = true;
      this.#showState();
    }, 300);
  }

  /** Returns what this device did not receive as it happened, since a time in epoch ms: {added, removed, entries}. */
  async missed(since) {
    const names = (list) => list.map((s) => feedName(s, this.#titles));
    const { added = [], removed = [] } = this.#client.inbox.getSnapshot().away?.subscriptions ?? {};
    const { items } = await this.#client.inbox.list({ limit: 50 });
    return {
      added: names(added), removed: names(removed),
      entries: items.filter((e) => e.delivery !== "live" && e.receivedAt >= since).map((e) => ({
        title: e.entry?.title ?? e.type, feed: feedName(e, this.#titles), at: e.occurredAt.getTime(), elsewhere: seenWords(e.seen),
      })),
    };
  }

  #showEntries() {
    const newest = this.#client.inbox.newest.getSnapshot();
    const known = new Set(newest.map((e) => e.id));
    const all = [...newest, ...this.#older.filter((e) => !known.has(e.id))];
    for (const { node, itemId } of this.#entries.show(all)) this.#shell.post({ type: "seen-elsewhere", node, itemId, at: now() });
    for (const { id, node, itemId, entry, delivery } of newest) {
      if (!this.#arrived.delete(id)) continue;
      this.#shell.post({ type: "entry", id: itemId, node, title: entry?.title, delivery, at: now() });
    }
    $("no-entries").hidden = all.length > 0;
    $("older").hidden = this.#older.length > 0 ? this.#cursor === undefined : newest.length < 50;
    this.#shell.post({ type: "ran", line: "entries" });
  }

  #showState() {
    const { unseen, catchUp } = this.#client.inbox.getSnapshot();
    $("unread").textContent = `${unseen} new`;
    $("unread").hidden = unseen === 0;
    $("read-all").classList.toggle("idle", unseen === 0);
    $("progress").hidden = catchUp.phase !== "running";
    $("progress-bar").max = Math.max(catchUp.nodes, 1);
    $("progress-bar").value = catchUp.nodesDone;
    $("progress-found").textContent = catchUp.received > 0 ? `${catchUp.received} found` : "";
    $("completeness").textContent = completenessWords(catchUp, this.#titles);
    if (catchUp.phase === "running") this.#returning = true;
    else if (this.#returning) this.#showAway();
    this.#changed();
  }

  /** Shows what has happened while the device was away, until the user has read it. */
  #showAway() {
    this.#returning = false;
    const { away } = this.#client.inbox.getSnapshot();
    const said = away ? awayWords(away, this.#titles) : [];
    $("away").hidden = said.length === 0;
    $("away-list").replaceChildren(...said.map((text) => element("li", "", text)));
  }

  /** Reads the older entries that are shown, and, if wanted, more of them. */
  async #showOlder(more) {
    const newest = this.#client.inbox.newest.getSnapshot().length;
    const page = await this.#client.inbox.list({ limit: Math.min(newest + this.#older.length + (more ? 50 : 0), 500) });
    this.#older = page.items.slice(newest);
    this.#cursor = page.cursor;
    this.#showEntries();
  }

  async #mark(what, { node, itemId }) {
    this.#shell.post({ type: "asked", what: "seen", node, key: itemId, at: now() });
    this.#shell.post({ type: "ran", line: "seen" });
    try {
      await this.#client.inbox.markSeen(what);
      if (this.#older.length > 0) await this.#showOlder(false);
    } catch (error) {
      showError(error);
    }
  }

  async #markAll() {
    const { inbox } = this.#client;
    for (const { service, node, unseen } of inbox.getSnapshot().nodes) {
      if (unseen === 0) continue;
      const { items: [newest] } = await inbox.list({ target: { service, node }, limit: 1 });
      if (newest) await this.#mark({ upTo: newest.id }, newest);
    }
  }
}
