// Counts the bytes on the wire of each device by their purpose.

const kept = 3000; // messages of a device

/** Returns the purpose of a message: "session", "list", or "entries". */
export function purposeOf({ layer, kind }) {
  if (layer === "pam") return "list";
  if (layer === "mam" || layer === "pubsub" || (kind === "message" && !layer)) return "entries";
  return "session";
}

export class Traffic {
  #frames = new Map(); // pane → messages

  constructor(stage) {
    stage.on("frames", (pane, { frames }) => {
      this.#frames.set(pane, [...(this.#frames.get(pane) ?? []), ...frames].slice(-kept));
    });
  }

  /** Returns the counts of a device since a time: bytes in all and by purpose, requests sent, messages received. */
  since(pane, at) {
    const sum = { bytes: 0, session: 0, list: 0, entries: 0, requests: 0, received: 0 };
    for (const frame of this.#frames.get(pane) ?? []) {
      if (frame.at < at) continue;
      sum.bytes += frame.bytes;
      sum[purposeOf(frame)] += frame.bytes;
      if (frame.dir === "out" && (frame.layer === "pam" || frame.layer === "mam" || frame.layer === "pubsub")) sum.requests++;
      if (frame.dir === "in" && frame.kind === "message") sum.received++;
    }
    return sum;
  }
}

/** Returns a number of bytes as text. */
export function bytesText(n) {
  if (n < 1000) return `${n} B`;
  return n < 1_000_000 ? `${(n / 1000).toFixed(n < 10_000 ? 1 : 0)} kB` : `${(n / 1e6).toFixed(2)} MB`;
}

/** Returns a duration in milliseconds as text. */
export const msText = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
