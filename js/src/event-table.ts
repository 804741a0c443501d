import { messageOf, PamError } from "./errors.js";
import type { Codec, PubsubEvent } from "./inbox-types.js";
import { readEntry } from "./pubsub.js";
import type { RawEvent } from "./wire.js";

/** Makes the public form of events. An event stays the same object while it is equal and the page holds it. */
export interface EventTable {
  read(raw: RawEvent): PubsubEvent;
}

/** An event that was made. The event refers to this object, which thus exists as long as the event. */
interface Known { readonly raw: RawEvent; readonly payload: Payload; event?: PubsubEvent }

/** A payload, which is decoded when it is first read. */
interface Payload { decoded: boolean; value: unknown }

/** Makes a table. `warn` is called with the error of a codec that has thrown. */
export function eventTable(codecs: ReadonlyMap<string, Codec>, warn: (e: PamError) => void): EventTable {
  const refs = new Map<string, WeakRef<Known>>(); // by id
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
  function decodeLater(event: object, codec: Codec, { raw, payload }: Known): void {
    const get = (): unknown => {
      if (!payload.decoded) {
        payload.decoded = true;
        payload.value = decode(codec, raw);
      }
      return payload.value;
    };
    Object.defineProperty(event, "payload", { get, enumerable: true });
  }

  function makeEvent(known: Known): PubsubEvent {
    const { raw } = known;
    const { id, service, node, type, delivery, xml, source, basis, seenAt } = raw;
    const state = raw.seen;
    const entry = raw.entry ? readEntry(raw.entry) : null;
    const event: { -readonly [K in keyof PubsubEvent]: PubsubEvent[K] } = {
      id, service, node, type, delivery, entry,
      occurredAt: new Date(raw.at),
      timeSource: source,
      receivedAt: new Date(raw.received),
      seen: Object.freeze(seenAt === undefined ? { state, basis } : { state, basis, at: new Date(seenAt) }),
      xml: xml ?? null,
      payload: entry,
    };
    const codec = xml === undefined ? undefined : codecs.get(raw.namespace ?? "");
    if (codec) decodeLater(event, codec, known);
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
      if (before && equal(before.raw, raw)) return before.event!;
      const kept = before && raw.xml !== undefined && before.raw.xml === raw.xml && before.raw.namespace === raw.namespace;
      const known: Known = { raw, payload: kept ? before.payload : { decoded: false, value: null } };
      known.event = makeEvent(known);
      refs.set(raw.id, new WeakRef(known));
      if (refs.size > most) sweep();
      return known.event;
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
