import { PamError } from "./errors.js";
import { listeners } from "./store.js";
import type { Inspector, WireFrame } from "./types.js";

/** A frame as the program writes it. */
export interface RawFrame {
  seq: number; at: number; out: boolean; kind: WireFrame["kind"]; layer?: NonNullable<WireFrame["layer"]>;
  id?: string; replyTo?: number; rttMs?: number; xml: string;
}

export interface InspectorCell {
  readonly inspector: Inspector;
  add(frame: RawFrame): void;
  /** What the program's memory and table of references measure. */
  measure(heap: number, references: number): void;
  /** Counts messages that the program ignored. */
  ignore(messages: number): void;
  flush(): void;
}

const none: readonly WireFrame[] = Object.freeze([]);

/** Keeps the last `limit` messages; with 0 it is off. */
export function inspector(limit: number, drop: () => void): InspectorCell {
  let frames: WireFrame[] = [];
  let current: readonly WireFrame[] | undefined = none;
  const counts = { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0, ignored: 0, goHeapBytes: 0, liveReferences: 0 };
  const { subscribe, mark, flush } = listeners();
  const snapshot = (): readonly WireFrame[] => (current ??= Object.freeze(frames.slice(-limit)));
  const changed = (): void => {
    current = undefined;
    mark();
  };
  return {
    inspector: Object.freeze<Inspector>({
      enabled: limit > 0,
      getSnapshot: snapshot,
      getServerSnapshot: () => none,
      subscribe,
      clear() {
        frames = [];
        changed();
        flush();
      },
      export(format = "ndjson") {
        const all = snapshot();
        if (format === "xml") return new Blob(all.map((f) => f.xml + "\n"), { type: "text/xml" });
        if (format !== "ndjson") throw new PamError("bad-options", 'The format must be "ndjson" or "xml".');
        return new Blob(all.map((f) => JSON.stringify(f) + "\n"), { type: "application/x-ndjson" });
      },
      stats: () => ({ ...counts }),
      simulate(fault) {
        if (fault?.kind !== "drop") throw new PamError("bad-options", 'The only fault is {kind: "drop"}.');
        drop();
      },
    }),
    add(raw) {
      const { at, out, ...rest } = raw;
      const bytes = utf8Length(raw.xml);
      counts[out ? "framesOut" : "framesIn"]++;
      counts[out ? "bytesOut" : "bytesIn"] += bytes;
      frames.push(Object.freeze({ ...rest, at: new Date(at), dir: out ? "out" : "in", bytes } satisfies WireFrame));
      if (frames.length >= 2 * limit) frames = frames.slice(-limit);
      changed();
    },
    measure(heap, references) {
      counts.goHeapBytes = heap;
      counts.liveReferences = references;
    },
    ignore(messages) {
      counts.ignored += messages;
    },
    flush,
  };
}

/** The length in UTF-8 of well-formed text. */
function utf8Length(text: string): number {
  let n = text.length;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c > 0x7f) n += c < 0x800 || (c >= 0xd800 && c < 0xe000) ? 1 : 2; // a surrogate is half of four bytes
  }
  return n;
}
