import type { ClientOptions, Credentials, CredentialRequest, LogEntry, WasmSource } from "./client-options.js";
import { messageOf, PamError } from "./errors.js";
import type { Codec, Interest } from "./inbox-types.js";
import type { Host, HostFailure } from "./runtime.js";
import type { Target } from "./types.js";
import type { RawInterests } from "./wire.js";

/** The options of createClient, checked and read once: later changes of the given object have no effect. */
export interface Config {
  readonly account: string;
  readonly credentials: (request: CredentialRequest) => Credentials | Promise<Credentials>;
  /** Undefined: the program looks it up. */
  readonly service: string | undefined;
  readonly followTo: readonly string[] | undefined;
  readonly storage: "indexeddb" | "files" | "memory";
  /** Of "files". */
  readonly directory: string | undefined;
  readonly mechanisms: readonly string[] | undefined;
  readonly tabs: "shared" | "independent";
  readonly where: "worker" | "main" | undefined;
  readonly wasm: WasmSource | undefined;
  readonly worker: string | URL | (() => Worker) | undefined;
  readonly reconnect: { baseMs: number; maxMs: number; noJitter: boolean; maxAttempts: number; reconnectOff: boolean };
  readonly wakeOnForeground: boolean;
  readonly interests: RawInterests;
  /** By the namespace of the payload. */
  readonly codecs: ReadonlyMap<string, Codec>;
  /** How many messages the inspector keeps; 0 turns it off. */
  readonly frames: number;
  readonly logger: ((entry: LogEntry) => void) | undefined;
  /** Opens the host of the program, where that is no browser's. */
  readonly openHost: Platform["openHost"] | undefined;
}

/** What differs outside browsers. The options `tabs` and `runtime` do not exist there. */
export interface Platform {
  readStorage(given: unknown): Pick<Config, "storage" | "directory">;
  openHost(failed: HostFailure): Promise<Host>;
}

const bad = (text: string, cause?: unknown): PamError =>
  new PamError("bad-options", text, cause === undefined ? {} : { cause });

export function readOptions(options: ClientOptions, platform?: Platform): Config {
  return reading("options", () => readAll(options, platform));
}

/**
 * Runs a function that reads values of the caller. Whatever a getter or a Proxy throws becomes an error of this library.
 */
export function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (e) {
    throw isOwn(e) ? e : bad(`${what} cannot be read: ${messageOf(e)}`, e);
  }
}

function isOwn(e: unknown): e is PamError {
  try {
    return e instanceof PamError;
  } catch {
    return false; // a Proxy was thrown
  }
}

function readAll(options: ClientOptions, platform: Platform | undefined): Config {
  const o = fields(options, "options", [
    "account", "credentials", "service", "followTo", "storage", ...(platform ? [] : ["tabs", "runtime"]), "mechanisms",
    "reconnect", "interests", "codecs", "inspector", "logger",
  ]);
  const runtime = fields(o.runtime ?? {}, "options.runtime", ["where", "wasm", "worker"]);
  const worker = runtime.worker;
  if (worker !== undefined && typeof worker !== "string" && typeof worker !== "function" && !(worker instanceof URL)) {
    throw bad("options.runtime.worker must be a URL or a function that returns a Worker.");
  }
  const policy = ["baseMs", "maxMs", "jitter", "maxAttempts", "wakeOnForeground"];
  const reconnect = o.reconnect === false ? {} : fields(o.reconnect ?? {}, "options.reconnect", policy);
  const endless = reconnect.maxAttempts === Infinity;
  const attempts = endless ? 0 : positive(reconnect.maxAttempts, "options.reconnect.maxAttempts") ?? 0;
  return {
    account: readAccount(o.account),
    credentials: readCredentials(o.credentials),
    service: readService(o.service),
    followTo: readTexts(o.followTo, "options.followTo", "hosts such as node2.example.org"),
    ...(platform ? platform.readStorage(o.storage) : readStorage(o.storage)),
    openHost: platform?.openHost,
    mechanisms: readTexts(o.mechanisms, "options.mechanisms", "SASL mechanism names"),
    tabs: oneOf(o.tabs, "options.tabs", ["shared", "independent"]) ?? "shared",
    where: oneOf(runtime.where, "options.runtime.where", ["worker", "main"]),
    wasm: runtime.wasm as WasmSource | undefined,
    worker: worker as Config["worker"],
    reconnect: {
      baseMs: positive(reconnect.baseMs, "options.reconnect.baseMs") ?? 500,
      maxMs: positive(reconnect.maxMs, "options.reconnect.maxMs") ?? 60_000,
      noJitter: oneOf(reconnect.jitter, "options.reconnect.jitter", ["full", "none"]) === "none",
      maxAttempts: attempts,
      reconnectOff: o.reconnect === false,
    },
    wakeOnForeground: flag(reconnect.wakeOnForeground, "options.reconnect.wakeOnForeground") ?? true,
    interests: o.interests === undefined ? null : readInterests(o.interests as readonly Interest[], "options.interests"),
    codecs: readCodecs(o.codecs ?? {}),
    frames: readFrames(o.inspector),
    logger: functionOr(o.logger, "options.logger"),
  };
}

const readStorage: Platform["readStorage"] = (given) =>
  ({ storage: oneOf(given, "options.storage", ["indexeddb", "memory"]) ?? "indexeddb", directory: undefined });

/** Reads a target. A row of the list may have an empty node, because services send such rows; the caller can remove it. */
export function readTarget(target: Target, listed = false): { service: string; node: string; subid: string } {
  const { service, node, subid } = reading("target", () => fields(target, "target"));
  if (typeof service !== "string" || service === "") throw bad("target.service must be a JID, such as pubsub.example.org.");
  if (typeof node !== "string" || (node === "" && !listed)) throw bad("target.node must be the name of a node.");
  if (subid !== undefined && typeof subid !== "string") throw bad("target.subid must be a string.");
  return { service, node, subid: subid ?? "" };
}

/** Reads interests; null selects everything. */
export function readInterests(given: readonly Interest[] | null, what: string): RawInterests {
  if (given === null) return null;
  return reading(what, () => {
    if (!Array.isArray(given)) throw bad(`${what} must be an array such as [{ node: "news" }].`);
    return Array.from(given as readonly unknown[], (interest, i) => {
      const name = `${what}[${i}]`;
      const { service, node, prefix, payload } = fields(interest, name, ["service", "node", "prefix", "payload"]);
      const row = [
        text(service ?? "", `${name}.service`), text(node ?? "", `${name}.node`),
        flag(prefix, `${name}.prefix`) ? "*" : "", text(payload ?? "", `${name}.payload`),
      ];
      if (`${row[0]}${row[1]}${row[3]}` === "") throw bad(`${name} must have a service, a node or a payload.`);
      return row;
    });
  });
}

function readCodecs(given: unknown): ReadonlyMap<string, Codec> {
  if (given === null || typeof given !== "object" || Array.isArray(given)) throw bad("options.codecs must be an object.");
  return new Map(Object.entries(given).map(([namespace, codec]) => {
    if (typeof codec !== "function") throw bad(`options.codecs[${JSON.stringify(namespace)}] must be a function.`);
    return [namespace, codec as Codec];
  }));
}

/**
 * Reads the properties of an object that the caller passes, each exactly once. Only the names in `known` are allowed;
 * without `known`, only the three properties of a target are read.
 */
export function fields(value: unknown, what: string, known?: readonly string[]): Record<string, unknown> {
  const isArray = reading(what, () => Array.isArray(value)); // it throws for a revoked Proxy
  if (value === null || typeof value !== "object" || isArray) throw bad(`${what} must be an object.`);
  const out = Object.create(null) as Record<string, unknown>;
  try {
    if (known) {
      const unknown = Reflect.ownKeys(value).find((k) => typeof k === "string" && !known.includes(k));
      if (unknown !== undefined) throw bad(`${what}.${String(unknown)} is not an option. Options: ${known.join(", ")}.`);
    }
    for (const name of known ?? ["service", "node", "subid"]) {
      try {
        out[name] = (value as Record<string, unknown>)[name];
      } catch (e) {
        throw bad(`${what}.${name} cannot be read: ${messageOf(e)}`, e);
      }
    }
  } catch (e) {
    throw isOwn(e) ? e : bad(`${what} cannot be read: ${messageOf(e)}`, e);
  }
  return out;
}

export function signalOf(signal: unknown): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  try {
    if (signal instanceof AbortSignal && typeof signal.aborted === "boolean") return signal; // throws for a Proxy
  } catch {}
  throw bad("options.signal must be an AbortSignal.");
}

/** Reads a string. */
export function text(value: unknown, what: string): string {
  if (typeof value !== "string") throw bad(`${what} must be a string.`);
  return value;
}

export function texts(given: unknown, what: string): string[] {
  return reading(what, () => {
    if (!Array.isArray(given)) throw bad(`${what} must be an array of strings.`);
    return Array.from(given as unknown[], (item, i) => text(item, `${what}[${i}]`));
  });
}

/** Reads an optional whole number above zero. */
export function positive(value: unknown, what: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0 && value <= 0x7fffffff) return value;
  throw bad(`${what} must be a whole number above zero.`);
}

function flag(value: unknown, what: string): boolean | undefined {
  if (value !== undefined && typeof value !== "boolean") throw bad(`${what} must be true or false.`);
  return value;
}

function oneOf<T extends string>(value: unknown, what: string, allowed: readonly T[]): T | undefined {
  if (value !== undefined && !allowed.includes(value as T)) throw bad(`${what} must be one of: ${allowed.join(", ")}.`);
  return value as T | undefined;
}

function functionOr(value: unknown, what: string): Config["logger"] {
  if (value !== undefined && typeof value !== "function") throw bad(`${what} must be a function.`);
  return value as Config["logger"];
}

/** Checks the shape of a bare JID. The program checks the rest (RFC 7622). */
function readAccount(account: unknown): string {
  if (account === undefined) throw bad("options.account is missing: give a bare JID such as alice@example.org.");
  if (typeof account !== "string") throw bad("options.account must be a string: a bare JID such as alice@example.org.");
  const jid = (text: string): PamError => new PamError("bad-jid", text);
  if (account.includes("/")) {
    throw jid("options.account must be a bare JID: remove the resource, the part from the slash on.");
  }
  if (!/^[^@"&'<>:\s\p{Cc}]+@[^@\s\p{Cc}"&'<>]+$/u.test(account) || account.length > 2047) {
    throw jid("options.account is not a bare JID: give one such as alice@example.org.");
  }
  return account;
}

function readCredentials(given: unknown): Config["credentials"] {
  if (given === undefined) throw bad("options.credentials is missing: give {password} or a function that returns it.");
  if (typeof given === "function") return (request) => readPassword((given as Config["credentials"])(request));
  const fixed = checkPassword(given, "options.credentials", "be {password} or a function that returns it");
  return () => fixed;
}

async function readPassword(given: Credentials | Promise<Credentials>): Promise<Credentials> {
  return checkPassword(await given, "options.credentials()", "return {password} or a promise of it");
}

function checkPassword(given: unknown, what: string, must: string): Credentials {
  if (given === null || typeof given !== "object") throw bad(`${what} must ${must}.`);
  const { password } = fields(given, what, ["password"]);
  if (typeof password !== "string" || password === "") throw bad(`${what}.password must be a non-empty string.`);
  return { password };
}

function readService(service: unknown): string | undefined {
  if (service === undefined) return undefined;
  let url: URL;
  try {
    url = new URL(typeof service === "string" ? service : (service as URL).href);
  } catch (e) {
    throw bad("options.service must be a URL such as wss://example.org/xmpp-websocket.", e);
  }
  if (url.protocol !== "wss:" && url.protocol !== "ws:") {
    throw bad("options.service must start with wss: (or ws: on a loopback host).");
  }
  if (url.hash !== "" || url.username !== "" || url.password !== "") {
    throw bad("options.service must contain no user name, password or fragment.");
  }
  return url.href;
}

/** Reads an optional array of non-empty strings. */
function readTexts(given: unknown, what: string, of: string): readonly string[] | undefined {
  if (given === undefined) return undefined;
  const list = Array.isArray(given) ? Array.from(given) as unknown[] : [];
  if (list.length === 0 || list.some((m) => typeof m !== "string" || m === "")) {
    throw bad(`${what} must be an array of ${of}.`);
  }
  return list as string[];
}

function readFrames(given: unknown): number {
  if (given === undefined || given === false) return 0;
  if (given === true) return 1000;
  const { frames } = fields(given, "options.inspector", ["frames"]);
  return positive(frames, "options.inspector.frames") ?? 1000;
}
