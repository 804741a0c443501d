import { fromWire, ownError, PamError, type PamErrorFields } from "./errors.js";
import { info, type Progress } from "./loader.js";
import type { Config } from "./options.js";
import { openOwnHost } from "./own-host.js";
import { findSharedHost, mayShare } from "./shared-program.js";
import type { FromHost, Notices, Operations, Posted, ProgramEvent, Request, ToHost } from "./wire.js";

/** Requests that are sent without waiting for a result: notices, and operations that have none. */
type OneWayRequests = Notices & Pick<{ [K in keyof Operations]: Operations[K]["params"] }, "sleep" | "wake">;

/** A running program. */
export interface Runtime {
  readonly where: "shared-worker" | "worker" | "main";
  /** The name under which a shared program stores its session; undefined if the program is this page's own. */
  readonly session: string | undefined;
  /** Whether it goes on while the browser suspends all of its pages. */
  readonly outlives: boolean;
  /** Whether the program may resume a stored session. Not after a crash, which a stanza may have caused. */
  readonly mayResume: boolean;
  /** Requests an operation. An aborted signal cancels it; the promise still settles. */
  request<K extends keyof Operations>(
    op: K, params: Operations[K]["params"], signal?: AbortSignal,
  ): Promise<Operations[K]["result"]>;
  send<K extends keyof OneWayRequests>(op: K, params: OneWayRequests[K]): void;
  /** Ends the program immediately. Pending and later requests are rejected with `why`. */
  stop(why: PamError): void;
}

export interface RuntimeHandlers {
  handleEvent(event: Exclude<ProgramEvent, { event: "crash" }>): void;
  /** Called when all events that were posted together have been handled. */
  flush(): void;
  progress: Progress;
  measure(heap: number, references: number): void;
  /** Called when the number of pages that use a shared program has changed. */
  countTabs(tabs: number): void;
  /**
   * Called when the program has ended by itself. Every pending request has been rejected. `lost` says that a shared program
   * ended with the page that had started it, or does not respond: another one can be started.
   */
  crashed(error: PamError, lost: boolean): void;
}

/** Where a program runs. */
export interface Host {
  readonly where: Runtime["where"];
  readonly port: MessagePort;
  readonly session?: string;
  /** Whether it goes on while the browser suspends all of its pages. */
  readonly outlives?: boolean;
  /** The first message to it. */
  readonly begin: ToHost;
  /** Calls `lost` when a shared host has ended, or no longer knows this page, with words that say how. */
  watch?(lost: (how: string) => void): void;
  release(): void;
}

interface PendingRequest { resolve(result: unknown): void; reject(e: PamError): void }

/** Called when an own host fails, with the error if the program does not run yet, and why it crashed if it does. */
export type HostFailure = (text: string, more?: PamErrorFields, crash?: string) => void;

/** Loads the program and starts it, or joins the one that other pages use. The signal ends it immediately. */
export async function startRuntime(config: Config, handlers: RuntimeHandlers, closed: AbortSignal): Promise<Runtime> {
  let early: Parameters<HostFailure> | undefined;
  let failed: HostFailure = (...why) => { early = why; };
  const host = await openHost(config, closed, (...why) => failed(...why), handlers.progress);
  if (closed.aborted) host.release();
  closed.throwIfAborted();
  const { port, where } = host;
  const shared = where === "shared-worker";
  const pending = new Map<number, PendingRequest>();
  let lastId = 0;
  let ended: PamError | undefined; // why the program has ended
  let started = false;
  let silent = 0; // s since the shared host has sent anything, while a request is pending
  let watching: ReturnType<typeof setInterval> | undefined;

  return new Promise<Runtime>((resolve, reject) => {
    function end(why: PamError): void {
      if (ended) return;
      ended = why;
      clearInterval(watching);
      closed.removeEventListener("abort", abort);
      port.postMessage({ request: { id: 0, op: "close" } } satisfies ToHost);
      for (const request of pending.values()) request.reject(why);
      reject(why);
      host.release();
    }

    const abort = (): void => end(ownError(closed.reason));
    closed.addEventListener("abort", abort);

    function endByItself(words: string, lost: boolean): void {
      if (ended) return;
      const error = new PamError("crashed", words, { origin: "runtime", retryable: true });
      end(error);
      handlers.crashed(error, lost);
    }
    const crash = (text: string): void =>
      endByItself(`The program crashed (${text}). Call connect() to start a new one, and report this error.`, false);
    const lose = (how: string): void =>
      endByItself(`The program that the tabs share ${how}. The client starts another; what this call did is unknown.`, true);

    failed = (text, more = {}, why = "") => {
      if (started) crash(why || "the Worker failed");
      else end(new PamError("wasm-load", text, { origin: "runtime", retryable: true, ...more }));
    };

    if (early) failed(...early);

    function post(request: Request): void {
      if (!ended) port.postMessage({ request } satisfies ToHost);
    }

    /** Checks every second whether a shared host responds. A frozen page does not count the time. */
    function watchHost(): void {
      if (!shared || watching) return;
      silent = 0;
      watching = setInterval(() => {
        if (pending.size === 0) {
          clearInterval(watching);
          watching = undefined;
        } else if (++silent === pingAfter) {
          port.postMessage({ ping: true } satisfies ToHost);
        } else if (silent > hangsAfter) {
          lose("does not respond");
        }
      }, 1000);
    }

    let mayResume = true;
    const runtime: Runtime = {
      where,
      session: host.session,
      outlives: host.outlives === true,
      get mayResume() { return mayResume; },
      request: (op, params, signal) => new Promise((resolve, reject) => {
        if (ended) {
          reject(ended);
          return;
        }
        const id = ++lastId;
        const cancel = (): void => runtime.send("cancel", { target: id });
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
        watchHost();
      }),
      send: (op, params) => post({ ...params, id: 0, op }),
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

    function begun({ go, version }: { go: string; version: string }): void {
      if (go === info.go && version === info.version) {
        resolve(runtime);
        return;
      }
      const words = `pam.wasm is version ${version} (${go}), but this script belongs to version ${info.version} `
        + `(${info.go}). Serve both from the same package, and let no cache keep an old one.`;
      end(new PamError("wasm-version", words, { origin: "runtime" }));
    }

    port.onmessage = ({ data }: { data: FromHost }) => {
      if ("loaded" in data) {
        handlers.progress(data.loaded);
        return;
      }
      started = true;
      silent = 0;
      if ("text" in data) {
        for (const posted of JSON.parse(data.text) as Posted[]) if (!ended) receive(posted);
        if (shared) port.postMessage({ ack: data.text.length } satisfies ToHost);
        handlers.measure(data.heap, data.references);
        handlers.flush();
      } else if ("ready" in data) {
        mayResume = !data.fresh;
        begun(data.ready);
      } else if ("tabs" in data) {
        handlers.countTabs(data.tabs);
        handlers.flush();
      } else if ("failed" in data) {
        end(fromWire(data.failed));
      } else if ("exit" in data) {
        if (shared && data.exit === "") lose("has ended");
        else crash(data.exit || "exit code 0");
      }
    };
    port.postMessage(host.begin);
    host.watch?.(lose);
  });
}

const pingAfter = 5; // s of silence
const hangsAfter = 15;

/** Opens the host of the shared program if the options allow it, else one of this page. */
async function openHost(config: Config, closed: AbortSignal, failed: HostFailure, progress: Progress): Promise<Host> {
  const host = mayShare(config) ? await findSharedHost(config, closed) : undefined;
  if (host) return host; // the caller releases it if the client was closed in the meantime
  closed.throwIfAborted();
  return openOwnHost(config, failed, progress);
}
