import { fromWire, messageOf, PamError } from "./errors.js";
import { info, loadModule } from "./loader.js";
import type { Config } from "./options.js";
import type { FromHost, Happened, Posted, Request, ToHost } from "./wire.js";

/** A running program. */
export interface Link {
  readonly where: "worker" | "main";
  /** Asks for an operation. An aborted signal cancels it; the promise settles all the same. */
  request(op: string, params?: object, signal?: AbortSignal): Promise<unknown>;
  /** Asks without waiting for the result. */
  tell(op: string, params?: object): void;
  /** Ends the program at once. What waits is rejected with `why`, or stays unanswered. */
  stop(why?: PamError): void;
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
  let ended = false;
  let worker: Worker | undefined;

  return new Promise<Link>((resolve, reject) => {
    function end(why?: PamError): void {
      if (ended) return;
      ended = true;
      over.removeEventListener("abort", abort);
      port.postMessage({ request: { id: 0, op: "close" } } satisfies ToHost);
      port.close();
      worker?.terminate();
      if (!why) return;
      for (const w of waiting.values()) w.reject(why);
      waiting.clear();
      reject(why);
    }

    const abort = (): void => end(over.reason as PamError);
    over.addEventListener("abort", abort);

    function crash(text: string, code: "crashed" | "wasm-load" = "crashed"): void {
      if (ended) return;
      const error = new PamError(code, code === "crashed" ? `The program ended by mistake (${text}). connect() starts a new one; please report this.` : text, { origin: "runtime", retryable: true });
      end(error);
      if (code === "crashed") handlers.crashed(error);
    }

    function post(request: Request): void {
      if (!ended) port.postMessage({ request } satisfies ToHost);
    }

    const link: Link = {
      where,
      request: (op, params, signal) => new Promise((resolve, reject) => {
        if (ended) {
          reject(new PamError("crashed", "The program has ended. connect() starts a new one.", { origin: "runtime", retryable: true }));
          return;
        }
        const id = ++lastId;
        waiting.set(id, { resolve, reject });
        post({ ...params, id, op });
        signal?.addEventListener("abort", () => waiting.has(id) && post({ id: 0, op: "cancel", target: id }));
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
      waiting.delete(posted.id);
      if ("error" in posted) w?.reject(fromWire(posted.error));
      else w?.resolve(posted.ok);
    }

    port.onmessage = ({ data }: { data: FromHost }) => {
      if ("text" in data) {
        for (const posted of JSON.parse(data.text) as Posted[]) if (!ended) receive(posted);
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
      }).catch((e: unknown) => crash(`The script worker.js of this package could not be loaded: ${messageOf(e)}`, "wasm-load"));
      return;
    }
    try {
      worker = makeWorker(config.worker);
    } catch (e) {
      end(new PamError("wasm-load", `The Worker could not be started: ${messageOf(e)}. Check worker-src of the page's Content-Security-Policy, or set options.runtime.where to "main".`, { origin: "runtime", cause: e }));
      return;
    }
    let started = false;
    worker.onerror = (event) => {
      event.preventDefault?.();
      if (started) crash(event.message || "the Worker failed");
      else crash(`The worker script could not be loaded${event.message ? `: ${event.message}` : ""}. Serve worker.js of this package next to index.js, or give options.runtime.worker.`, "wasm-load");
    };
    worker.postMessage({ xmppPam: port2 }, [port2]);
    port.postMessage({ module } satisfies ToHost);
    port.addEventListener("message", () => { started = true; }, { once: true });
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
