import { fromWire, messageOf, ownError, PamError, type PamErrorFields } from "./errors.js";
import { info, loadModule, located, unlocated } from "./loader.js";
import type { Config } from "./options.js";
import type { FromHost, Notices, Operations, Posted, ProgramEvent, Request, ToHost } from "./wire.js";

/** Requests that are sent without waiting for a result: notices, and operations that have none. */
type Told = Notices & Pick<{ [K in keyof Operations]: Operations[K]["params"] }, "reload" | "sleep" | "wake">;

/** A running program. */
export interface Runtime {
  readonly where: "worker" | "main";
  /** Requests an operation. An aborted signal cancels it; the promise still settles. */
  request<K extends keyof Operations>(
    op: K, params: Operations[K]["params"], signal?: AbortSignal,
  ): Promise<Operations[K]["result"]>;
  tell<K extends keyof Told>(op: K, params: Told[K]): void;
  /** Ends the program immediately. Pending and later requests are rejected with `why`. */
  stop(why: PamError): void;
}

export interface RuntimeHandlers {
  handleEvent(event: Exclude<ProgramEvent, { event: "crash" }>): void;
  /** Called when all events that were posted together have been handled. */
  flush(): void;
  measure(heap: number, references: number): void;
  /** Called when the program has crashed. Every pending request has been rejected. */
  crashed(error: PamError): void;
}

interface PendingRequest { resolve(result: unknown): void; reject(e: PamError): void }

/** Loads the program and starts it. The signal ends it immediately, during the start or later. */
export async function startRuntime(config: Config, handlers: RuntimeHandlers, closed: AbortSignal): Promise<Runtime> {
  const where = config.where ?? (typeof Worker === "function" ? "worker" : "main");
  const module = await loadModule(config.wasm);
  closed.throwIfAborted();
  const { port1: port, port2 } = new MessageChannel();
  const pending = new Map<number, PendingRequest>();
  let lastId = 0;
  let ended: PamError | undefined; // why the program has ended
  let worker: Worker | undefined;

  return new Promise<Runtime>((resolve, reject) => {
    function end(why: PamError): void {
      if (ended) return;
      ended = why;
      closed.removeEventListener("abort", abort);
      port.postMessage({ request: { id: 0, op: "close" } } satisfies ToHost);
      port.close();
      for (const request of pending.values()) request.reject(why);
      reject(why);
      worker?.terminate();
    }

    const abort = (): void => end(ownError(closed.reason));
    closed.addEventListener("abort", abort);

    function crash(text: string): void {
      if (ended) return;
      const words = `The program crashed (${text}). Call connect() to start a new one, and report this error.`;
      const error = new PamError("crashed", words, { origin: "runtime", retryable: true });
      end(error);
      handlers.crashed(error);
    }

    const notLoaded = (text: string, more: PamErrorFields = {}): void =>
      end(new PamError("wasm-load", text, { origin: "runtime", retryable: true, ...more }));

    function post(request: Request): void {
      if (!ended) port.postMessage({ request } satisfies ToHost);
    }

    const runtime: Runtime = {
      where,
      request: (op, params, signal) => new Promise((resolve, reject) => {
        if (ended) {
          reject(ended);
          return;
        }
        const id = ++lastId;
        const cancel = (): void => runtime.tell("cancel", { target: id });
        const settled = (): void => {
          pending.delete(id);
          signal?.removeEventListener("abort", cancel);
        };
        pending.set(id, {
          resolve(v) { settled(); resolve(v as Operations[typeof op]["result"]); }, // as Operations declares
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
        else handlers.handleEvent(posted);
        return;
      }
      const request = pending.get(posted.id);
      if ("error" in posted) request?.reject(fromWire(posted.error));
      else request?.resolve(posted.ok);
    }

    port.onmessage = ({ data }: { data: FromHost }) => {
      if ("text" in data) {
        for (const posted of JSON.parse(data.text) as Posted[]) if (!ended) receive(posted);
        handlers.measure(data.heap, data.references);
        handlers.flush();
      } else if ("ready" in data) {
        const { go, version } = data.ready;
        if (go === info.go && version === info.version) {
          resolve(runtime);
          return;
        }
        const words = `pam.wasm is version ${version} (${go}), but this script belongs to version ${info.version} `
          + `(${info.go}). Serve both from the same package, and let no cache keep an old one.`;
        end(new PamError("wasm-version", words, { origin: "runtime" }));
      } else {
        crash(data.exit || "exit code 0");
      }
    };

    if (where === "main") {
      import("./worker.js").then(({ serve }) => {
        serve(port2);
        port.postMessage({ module } satisfies ToHost);
      }).catch((e: unknown) => {
        notLoaded(`The script worker.js of this package could not be loaded: ${messageOf(e)}`, { cause: e });
      });
      return;
    }
    try {
      worker = makeWorker(config.worker);
      let started = false;
      worker.onerror = (event) => {
        event.preventDefault?.();
        if (started) crash(event.message || "the Worker failed");
        else {
          notLoaded(`The worker script could not be loaded${event.message ? `: ${event.message}` : ""}. `
            + "Serve worker.js of this package next to index.js, or give options.runtime.worker.");
        }
      };
      worker.postMessage({ xmppPam: port2 }, [port2]);
      port.postMessage({ module } satisfies ToHost);
      port.addEventListener("message", () => { started = true; }, { once: true });
    } catch (e) {
      notLoaded(config.worker === undefined && !located() ? unlocated("worker.js", "options.runtime.worker")
        : `The Worker could not be started: ${messageOf(e)}. Its script must be of the page's own origin, and allowed by `
          + "worker-src of the page's Content-Security-Policy; or set options.runtime.where to \"main\".",
      { cause: e, retryable: false });
    }
  });
}

/** Creates the worker. Bundlers find its script by the literal `new Worker(new URL(…, import.meta.url))`. */
function makeWorker(given: Config["worker"]): Worker {
  if (typeof given === "function") return given();
  if (given !== undefined) return new Worker(trusted(given), { type: "module" });
  try {
    return new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  } catch (e) {
    if (!(e instanceof TypeError) || !globalThis.trustedTypes) throw e;
    const url = new URL("./worker.js", import.meta.url);
    return new Worker(trusted(url), { type: "module" });
  }
}

let policy: ScriptURLPolicy | undefined;

/** Converts the URL to a TrustedScriptURL where the page requires one; `trusted-types xmpp-pam` allows this. */
function trusted(url: string | URL): string | URL {
  policy ??= globalThis.trustedTypes?.createPolicy("xmpp-pam", { createScriptURL: (u) => u });
  return policy ? policy.createScriptURL(String(url)) : url;
}
