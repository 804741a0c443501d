import { messageOf, PamError } from "./errors.js";
import type { Codec, PubsubEvent } from "./inbox-types.js";
import { readEntry } from "./pubsub.js";
import type { RawEvent } from "./wire.js";

/** Makes the public form of events. An event stays the same object while it is equal and the page holds it. */
export interface EventTable {
  read(raw: RawEvent): PubsubEvent;
}

/** What an event was made of. */
interface Source { readonly raw: RawEvent; readonly payload: Payload }

/** A payload, which is decoded when it is first read. */
interface Payload { decoded: boolean; value: unknown }

/** Makes a table. `warn` is called with the error of a codec that has thrown. */
export function eventTable(codecs: ReadonlyMap<string, Codec>, warn: (e: PamError) => void): EventTable {
  const refs = new Map<string, WeakRef<PubsubEvent>>(); // by id
  const sources = new WeakMap<PubsubEvent, Source>();
  let most = 1000; // when there are more, those that are no longer used are removed

  function sweep(): void {
    for (const [id, ref] of refs) if (!ref.deref()) refs.delete(id);
    most = Math.max(1000, 2 * refs.size);
  }

  /** Decodes the payload of an event with a codec of the page. */
  function decode(codec: Codec, { xml, id, namespace }: RawEvent): unknown {
    try {
      return codec(xml!) ?? null;
    } catch (e) {
      const words = `options.codecs[${JSON.stringify(namespace)}] failed for event ${id}: ${messageOf(e)}`;
      warn(new PamError("bad-options", words, { cause: e }));
      return null;
    }
  }

  /** Defines the payload of an event, which the codec decodes when the page first reads it. */
  function decodeLater(event: object, codec: Codec, { raw, payload }: Source): void {
    const get = (): unknown => {
      if (!payload.decoded) {
        payload.decoded = true;
        payload.value = decode(codec, raw);
      }
      return payload.value;
    };
    Object.defineProperty(event, "payload", { get, enumerable: true });
  }

  function makeEvent(source: Source): PubsubEvent {
    const { raw } = source;
    const { id, service, node, type, delivery, xml, basis, seenAt } = raw;
    const state = raw.seen;
    const entry = raw.entry ? readEntry(raw.entry) : null;
    const event: { -readonly [K in keyof PubsubEvent]: PubsubEvent[K] } = {
      id, service, node, type, delivery, entry,
      occurredAt: new Date(raw.at),
      timeSource: raw.source,
      receivedAt: new Date(raw.received),
      seen: Object.freeze(seenAt === undefined ? { state, basis } : { state, basis, at: new Date(seenAt) }),
      xml: xml ?? null,
      payload: entry,
    };
    const codec = xml === undefined ? undefined : codecs.get(raw.namespace ?? "");
    if (codec) decodeLater(event, codec, source);
    if (raw.item !== undefined) event.itemId = raw.item;
    if (raw.redirect !== undefined) event.redirect = raw.redirect;
    if (raw.publisher !== undefined) event.publisher = raw.publisher;
    if (raw.namespace !== undefined) event.namespace = raw.namespace;
    if (raw.omitted !== undefined) event.omitted = raw.omitted;
    return Object.freeze(event);
  }

  return {
    read(raw) {
      const before = refs.get(raw.id)?.deref();
      const known = before && sources.get(before);
      if (known && equal(known.raw, raw)) return before;
      const kept = known && raw.xml !== undefined && known.raw.xml === raw.xml && known.raw.namespace === raw.namespace;
      const source: Source = { raw, payload: kept ? known.payload : { decoded: false, value: null } };
      const event = makeEvent(source);
      sources.set(event, source);
      refs.set(raw.id, new WeakRef(event));
      if (refs.size > most) sweep();
      return event;
    },
  };
}

/** Compares objects of texts, numbers and such objects. A field that is undefined equals one that is absent. */
function equal<T extends object>(a: T, b: T): boolean {
  return contains(a, b) && contains(b, a);
}

function contains<T extends object>(a: T, b: T): boolean {
  for (const name in b) {
    const [x, y] = [a[name], b[name]];
    if (x !== y && !(typeof x === "object" && typeof y === "object" && x && y && equal(x, y))) return false;
  }
  return true;
}
