import { fromWire, messageOf, PamError, type PamErrorFields } from "./errors.js";
import { info, loadModule, located, unlocated } from "./loader.js";
import type { Config } from "./options.js";
import type { FromHost, Happened, Posted, Request, ToHost } from "./wire.js";

/** A running program. */
export interface Link {
  readonly where: "worker" | "main";
  /** Asks for an operation. An aborted signal cancels it; the promise settles all the same. */
  request(op: string, params?: object, signal?: AbortSignal): Promise<unknown>;
  /** Asks without waiting for the result. */
  tell(op: string, params?: object): void;
  /** Ends the program at once. What waits, and what is asked later, is rejected with `why`. */
  stop(why: PamError): void;
}

export interface Handlers {
  happened(event: Happened): void;
  /** All that was posted together has been handled. */
  flush(): void;
  measure(heap: number, references: number): void;
  /** The program ended by mistake; everything that waited was rejected. */
  crashed(error: PamError): void;
}

/** Loads the program and starts it. The signal ends it at once, now or later. */
export async function start(config: Config, handlers: Handlers, over: AbortSignal): Promise<Link> {
  const where = config.where ?? (typeof Worker === "function" ? "worker" : "main");
  const module = await loadModule(config.wasm);
  over.throwIfAborted();
  const { port1: port, port2 } = new MessageChannel();
  const waiting = new Map<number, { resolve(v: unknown): void; reject(e: unknown): void }>();
  let lastId = 0;
  let gone: PamError | undefined; // why the program has ended
  let worker: Worker | undefined;

  return new Promise<Link>((resolve, reject) => {
    function end(why: PamError): void {
      if (gone) return;
      gone = why;
      over.removeEventListener("abort", abort);
      port.postMessage({ request: { id: 0, op: "close" } } satisfies ToHost);
      port.close();
      for (const w of waiting.values()) w.reject(why);
      reject(why);
      worker?.terminate();
    }

    const abort = (): void => end(over.reason as PamError);
    over.addEventListener("abort", abort);

    function crash(text: string): void {
      if (gone) return;
      const error = new PamError("crashed", `The program ended by mistake (${text}). connect() starts a new one; please report this.`, { origin: "runtime", retryable: true });
      end(error);
      handlers.crashed(error);
    }

    const notLoaded = (text: string, more: PamErrorFields = {}): void => end(new PamError("wasm-load", text, { origin: "runtime", retryable: true, ...more }));

    function post(request: Request): void {
      if (!gone) port.postMessage({ request } satisfies ToHost);
    }

    const link: Link = {
      where,
      request: (op, params, signal) => new Promise((resolve, reject) => {
        if (gone) {
          reject(gone);
          return;
        }
        const id = ++lastId;
        const cancel = (): void => post({ id: 0, op: "cancel", target: id });
        const settled = (): void => {
          waiting.delete(id);
          signal?.removeEventListener("abort", cancel);
        };
        waiting.set(id, {
          resolve(v) { settled(); resolve(v); },
          reject(e) { settled(); reject(e); },
        });
        post({ ...params, id, op });
        signal?.addEventListener("abort", cancel);
      }),
      tell: (op, params) => post({ ...params, id: 0, op }),
      stop: end,
    };

    function receive(posted: Posted): void {
      if ("event" in posted) {
        if (posted.event === "crash") crash(posted.text ?? "unknown");
        else handlers.happened(posted);
        return;
      }
      const w = waiting.get(posted.id);
      if ("error" in posted) w?.reject(fromWire(posted.error));
      else w?.resolve(posted.ok);
    }

    port.onmessage = ({ data }: { data: FromHost }) => {
      if ("text" in data) {
        for (const posted of JSON.parse(data.text) as Posted[]) if (!gone) receive(posted);
        handlers.measure(data.heap, data.references);
        handlers.flush();
      } else if ("ready" in data) {
        const { go, version } = data.ready;
        if (go === info.go && version === info.version) {
          resolve(link);
          return;
        }
        end(new PamError("wasm-version", `pam.wasm is version ${version} (${go}), but this script belongs to version ${info.version} (${info.go}). Serve both from the same package, and let no cache keep an old one.`, { origin: "runtime" }));
      } else {
        crash(data.exit || "exit code 0");
      }
    };

    if (where === "main") {
      import("./worker.js").then(({ serve }) => {
        serve(port2);
        port.postMessage({ module } satisfies ToHost);
      }).catch((e: unknown) => notLoaded(`The script worker.js of this package could not be loaded: ${messageOf(e)}`, { cause: e }));
      return;
    }
    try {
      worker = makeWorker(config.worker);
      let started = false;
      worker.onerror = (event) => {
        event.preventDefault?.();
        if (started) crash(event.message || "the Worker failed");
        else notLoaded(`The worker script could not be loaded${event.message ? `: ${event.message}` : ""}. Serve worker.js of this package next to index.js, or give options.runtime.worker.`);
      };
      worker.postMessage({ xmppPam: port2 }, [port2]);
      port.postMessage({ module } satisfies ToHost);
      port.addEventListener("message", () => { started = true; }, { once: true });
    } catch (e) {
      notLoaded(config.worker === undefined && !located() ? unlocated("worker.js", "options.runtime.worker")
        : `The Worker could not be started: ${messageOf(e)}. Its script must be of the page's own origin, and allowed by worker-src of the page's Content-Security-Policy; or set options.runtime.where to "main".`,
      { cause: e, retryable: false });
    }
  });
}

/** Bundlers find the worker script by the literal `new Worker(new URL(…, import.meta.url))`. */
function makeWorker(given: Config["worker"]): Worker {
  if (typeof given === "function") return given();
  if (given !== undefined) return new Worker(trusted(given) as string, { type: "module" });
  if (typeof (globalThis as TrustedTypes).trustedTypes === "undefined") return new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  try {
    return new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  } catch (e) {
    if (!(e instanceof TypeError)) throw e;
    const url = new URL("./worker.js", import.meta.url);
    return new Worker(trusted(url) as string, { type: "module" });
  }
}

interface TrustedTypes {
  trustedTypes?: { createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): unknown } };
}
let policy: { createScriptURL(url: string): unknown } | undefined;

/** The URL as a TrustedScriptURL where the page demands one: `trusted-types xmpp-pam` allows it. */
function trusted(url: string | URL): unknown {
  policy ??= (globalThis as TrustedTypes).trustedTypes?.createPolicy("xmpp-pam", { createScriptURL: (u) => u });
  return policy ? policy.createScriptURL(String(url)) : url;
}
