import { PamError } from "./errors.js";
import { listeners } from "./store.js";
import type { Inspector, WireFrame } from "./types.js";

/** A frame in the form in which the program posts it. */
export interface RawFrame {
  seq: number; at: number; out: boolean; kind: WireFrame["kind"]; layer?: NonNullable<WireFrame["layer"]>;
  id?: string; replyTo?: number; rttMs?: number; bytes: number; xml: string; cut?: true;
}

/** Maximum length of all kept messages, in characters. Without it, a peer could fill the memory with long messages. */
const most = 4 << 20;

export interface InspectorStore {
  readonly inspector: Inspector;
  add(frame: RawFrame): void;
  /** Records the size of the program's memory and of its table of references. */
  measure(heap: number, references: number): void;
  /** Counts messages that the program ignored. */
  ignore(messages: number): void;
  flush(): void;
}

const none: readonly WireFrame[] = Object.freeze([]);

/** Keeps the last `limit` messages, with at most 4 MiB of text in total. A limit of 0 turns it off. */
export function inspectorStore(limit: number): InspectorStore {
  let frames: WireFrame[] = [];
  let first = 0; // index of the oldest frame that is kept; those before it are removed in one go
  let kept = 0; // characters of the frames from `first` on
  let dropped = 0; // characters of the frames before `first`
  let current: readonly WireFrame[] | undefined = none;
  const counts = { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0, ignored: 0, goHeapBytes: 0, liveReferences: 0 };
  const snapshot = (): readonly WireFrame[] => (current ??= Object.freeze(frames.slice(first)));
  const { subscribe, markDirty, flush } = listeners(snapshot);
  const changed = (): void => {
    current = undefined;
    markDirty();
  };
  return {
    inspector: Object.freeze<Inspector>({
      enabled: limit > 0,
      getSnapshot: snapshot,
      getServerSnapshot: () => none,
      subscribe,
      clear() {
        if (frames.length === 0) return;
        frames = [];
        first = kept = dropped = 0;
        changed();
        flush();
      },
      export(format = "ndjson") {
        const all = snapshot();
        if (format === "xml") {
          const rest = (f: WireFrame): string => (f.cut ? `<!-- the rest of the ${f.bytes} bytes was not kept -->` : "");
          return new Blob(all.map((f) => `${f.xml}${rest(f)}\n`), { type: "text/xml" });
        }
        if (format !== "ndjson") throw new PamError("bad-options", 'The format must be "ndjson" or "xml".');
        return new Blob(all.map((f) => JSON.stringify(f) + "\n"), { type: "application/x-ndjson" });
      },
      stats: () => ({ ...counts }),
    }),
    add(raw) {
      const { at, out, bytes, ...rest } = raw;
      counts[out ? "framesOut" : "framesIn"]++;
      counts[out ? "bytesOut" : "bytesIn"] += bytes;
      frames.push(Object.freeze({ ...rest, at: new Date(at), dir: out ? "out" : "in", bytes } satisfies WireFrame));
      kept += raw.xml.length;
      for (; frames.length - first > limit || kept > most; first++) {
        const { length } = frames[first]!.xml;
        kept -= length;
        dropped += length;
      }
      if (first >= limit || dropped > most) {
        frames = frames.slice(first);
        first = dropped = 0;
      }
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
