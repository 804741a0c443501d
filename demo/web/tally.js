// What a comparison measures on one of its sides: how long lists were out of date, how late entries were, and which never
// came. It has no clock of its own; all times are ms of the caller's clock.

/** Measures the devices with these names, which all belong to one user. */
export class Tally {
  #wanted = new Set(); // the feeds that the user follows
  #devices;
  #entries = []; // {key, at}, which all devices must show

  constructor(names) {
    this.#devices = new Map(names.map((name) => [name, { feeds: new Set(), stale: [], shown: new Map() }]));
  }

  /** Notes what the user wants to follow from now on. */
  wanted(feeds, at) {
    this.#wanted = new Set(feeds);
    for (const device of this.#devices.values()) this.#judge(device, at);
  }

  /** Notes the list that a device shows from now on. */
  listed(name, feeds, at) {
    const device = this.#devices.get(name);
    device.feeds = new Set(feeds);
    this.#judge(device, at);
  }

  /** Notes an entry that all devices must show. */
  published(key, at) {
    if (!this.#entries.some((entry) => entry.key === key)) this.#entries.push({ key, at });
  }

  /** Notes that a device shows an entry. It may be noted before published() is. */
  shown(name, key, at) {
    const { shown } = this.#devices.get(name);
    if (!shown.has(key)) shown.set(key, at);
  }

  /** Returns the sums until now. stale: [{name, from, to}], the times at which a list was out of date. */
  result(now) {
    const stale = [];
    const delays = [];
    let due = 0;
    for (const [name, device] of this.#devices) {
      for (const { from, to = Math.max(now, from) } of device.stale) stale.push({ name, from, to });
      for (const { key, at } of this.#entries) {
        due++;
        if (device.shown.has(key)) delays.push(Math.max(0, device.shown.get(key) - at));
      }
    }
    return {
      stale, staleMs: stale.reduce((sum, { from, to }) => sum + to - from, 0),
      due, missed: due - delays.length, medianMs: median(delays),
    };
  }

  #judge(device, at) {
    const right = device.feeds.size === this.#wanted.size && [...device.feeds].every((feed) => this.#wanted.has(feed));
    const open = device.stale.at(-1)?.to === undefined ? device.stale.at(-1) : undefined;
    if (right && open) open.to = Math.max(at, open.from);
    else if (!right && !open) device.stale.push({ from: at });
  }
}

/** Returns the median, or undefined without a value. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half] : sorted.length > 0 ? (sorted[half - 1] + sorted[half]) / 2 : undefined;
}
