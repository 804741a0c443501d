// Counts the bytes on the wire of each device by their purpose.

const kept = 2000; // messages of a device, of which only the figures are kept

/** Returns the purpose of a message: "session", "list", or "entries". */
function purposeOf({ layer, kind }) {
  if (layer === "pam") return "list";
  if (layer === "mam" || layer === "pubsub" || (kind === "message" && !layer)) return "entries";
  return "session";
}

export class Traffic {
  #messages = new Map(); // pane → [{at, bytes, purpose, request, delivered}]

  constructor(stage) {
    stage.on("frames", (pane, { frames }) => {
      const more = frames.map((frame) => ({
        at: frame.at, bytes: frame.bytes, purpose: purposeOf(frame),
        request: frame.dir === "out" && purposeOf(frame) !== "session",
        delivered: frame.dir === "in" && frame.kind === "message",
      }));
      this.#messages.set(pane, [...(this.#messages.get(pane) ?? []), ...more].slice(-kept));
    });
    stage.addEventListener("devices", () => {
      for (const pane of this.#messages.keys()) if (!stage.panes.has(pane.id)) this.#messages.delete(pane);
    });
  }

  /** Returns the counts of a device since a time: bytes in all and by purpose, requests sent, messages received. */
  since(pane, at) {
    const sum = { bytes: 0, session: 0, list: 0, entries: 0, requests: 0, received: 0 };
    for (const { at: when, bytes, purpose, request, delivered } of this.#messages.get(pane) ?? []) {
      if (when < at) continue;
      sum.bytes += bytes;
      sum[purpose] += bytes;
      if (request) sum.requests++;
      if (delivered) sum.received++;
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
