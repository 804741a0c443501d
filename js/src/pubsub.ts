import { PamError } from "./errors.js";
import { fields, positive, reading, readTarget, text, texts } from "./options.js";
import type { AtomEntry, FormField, NodeInfo, PubsubItem, PubsubRequests } from "./pubsub-types.js";
import type { OpOptions } from "./types.js";
import type { Operations, RawEntry, RawField, RawFilled, RawItem, RawNode } from "./wire.js";

/** Runs an operation of the program within the limits of a call. `more` names the additional options of the call. */
export type RunOperation = <K extends keyof Operations>(
  op: K, params: Operations[K]["params"], options: OpOptions | undefined, ...more: string[]
) => Promise<Operations[K]["result"]>;

/** Makes the methods that send requests to services. */
export function pubsubRequests(run: RunOperation): PubsubRequests {
  return {
    publish: async (target, item, o) => ({
      id: await run("publish", reading("item", () => {
        const { id, xml } = fields(item, "item", ["id", "xml"]);
        return { ...place(target), item: text(id ?? "", "item.id"), xml: text(xml, "item.xml") };
      }), o),
    }),
    retract: async (target, id, o) => { await run("retract", { ...place(target), item: text(id, "id") }, o); },
    items: async (target, o) => Object.freeze((await run("items", readOptions(o, ["max", "ids"], ({ max, ids }) => (
      { ...readTarget(target), max: positive(max, "options.max") ?? 0, items: texts(ids ?? [], "options.ids") }
    )), o, "max", "ids")).map(readItem)),
    createNode: async (target, o) => run("createNode", readOptions(o, ["form"], ({ form }) => (
      { ...place(target, true), form: form === undefined ? null : fill(form, "options.form") }
    )), o, "form"),
    deleteNode: async (target, o) => {
      await run("deleteNode", readOptions(o, ["redirect"], ({ redirect }) => (
        { ...place(target), redirect: text(redirect ?? "", "options.redirect") }
      )), o, "redirect");
    },
    nodes: async (service, o) => {
      const { nodes, next } = await run("nodes", readOptions(o, ["max", "after"], ({ max, after }) => (
        {
          service: text(service, "service"), max: positive(max, "options.max") ?? 0,
          after: text(after ?? "", "options.after"),
        }
      )), o, "max", "after");
      return Object.freeze({ nodes: Object.freeze(nodes.map(readNode)), ...(next !== undefined && { next }) });
    },
    nodeInfo: async (target, o) => readNode(await run("nodeInfo", place(target), o)),
    getSubscriptionOptions: async (target, o) =>
      Object.freeze((await run("getOptions", readTarget(target), o)).map(readField)),
    setSubscriptionOptions: async (target, form, o) => {
      await run("setOptions", { ...readTarget(target), form: fill(form, "form") }, o);
    },
    parseUri: async (uri, o) => Object.freeze(await run("parseURI", { uri: text(uri, "uri") }, o)),
    iq: async (request, o) => run("iq", reading("request", () => {
      const { to, type, xml } = fields(request, "request", ["to", "type", "xml"]);
      return { to: text(to ?? "", "request.to"), type: text(type, "request.type"), xml: text(xml, "request.xml") };
    }), o),
    send: async (message, o) => {
      await run("send", reading("message", () => {
        const { to, type, xml } = fields(message, "message", ["to", "type", "xml"]);
        return { to: text(to, "message.to"), type: text(type ?? "", "message.type"), xml: text(xml, "message.xml") };
      }), o);
    },
  };
}

/** Reads the options of a call besides those of every call. */
function readOptions<T>(o: OpOptions | undefined, names: readonly string[], read: (own: Record<string, unknown>) => T): T {
  return reading("options", () => read(fields(o ?? {}, "options", ["signal", "timeoutMs", ...names])));
}

function place(target: unknown, unnamed = false): { service: string; node: string } {
  const { service, node } = readTarget(target as Parameters<typeof readTarget>[0], unnamed);
  return { service, node };
}

/** Reads a filled form. */
function fill(form: unknown, what: string): RawFilled {
  return reading(what, () => {
    if (!Array.isArray(form)) throw new PamError("bad-options", `${what} must be an array of {name, value}.`);
    return Array.from(form as unknown[], (field, i) => {
      const known = ["name", "type", "label", "description", "required", "choices", "value"];
      const { name, value } = fields(field, `${what}[${i}]`, known);
      const one = typeof value === "boolean" ? String(value) : value;
      const values = typeof one === "string" ? [one] : texts(one, `${what}[${i}].value`);
      return [text(name, `${what}[${i}].name`), ...values];
    });
  });
}

function readField({ name, type, label, description, required, choices, values }: RawField): FormField {
  const value = type === "boolean" ? values[0] === "true" : type.endsWith("multi") ? Object.freeze(values) : values[0] ?? "";
  return Object.freeze({
    name, type, required, value, ...(label && { label }), ...(description && { description }),
    ...(choices.length > 0 && {
      choices: Object.freeze(choices.map(([value, label]) => Object.freeze({ value, ...(label !== "" && { label }) }))),
    }),
  });
}

function readItem({ id = "", publisher, occurredAt, namespace, xml, entry }: RawItem): PubsubItem {
  return Object.freeze({
    id, occurredAt: date(occurredAt) ?? null, entry: entry ? readEntry(entry) : null, xml: xml ?? null,
    ...(publisher && { publisher }), ...(namespace && { namespace }),
  });
}

const entryTexts = ["id", "title", "summary", "content", "link", "image", "author"] as const;

/** Converts an Atom entry that the program has decoded. */
export function readEntry(raw: RawEntry): AtomEntry {
  const entry: { -readonly [K in keyof AtomEntry]: AtomEntry[K] } = {};
  for (const name of entryTexts) {
    const text = raw[name];
    if (text !== undefined) entry[name] = text;
  }
  if (raw.published !== null) entry.published = new Date(raw.published);
  if (raw.updated !== null) entry.updated = new Date(raw.updated);
  return Object.freeze(entry);
}

function readNode({ created, subscribers, ...rest }: RawNode): NodeInfo {
  const at = date(created);
  return Object.freeze({ ...rest, ...(at && { created: at }), ...(subscribers > 0 && { subscribers }) });
}

const date = (ms: number | null): Date | undefined => (ms === null ? undefined : new Date(ms));
