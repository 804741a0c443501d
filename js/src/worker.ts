import { ownError, toWire } from "./errors.js";
import { run, type System } from "./run-program.js";
import { loadModule } from "./loader.js";
import { programLock } from "./shared-program.js";
import type { FromHost, Request, ToHost } from "./wire.js";

// The worker script: the program and the pages that use it. A dedicated Worker has one page, a SharedWorker may have many.

/** Texts that a page has not handled, in UTF-16 units. With more, it gets nothing until it has handled all of them. */
const maxUnread = 8 << 20;

interface Page {
  readonly port: MessagePort;
  suspended: boolean; // by itself
  unread: number;
  full: boolean; // it gets nothing because of what is unread
}

/** A program that starts or runs. */
interface Running { dispatch?: (request: Request, page: number) => void; ready?: FromHost }

/** Makes a host for one program at a time. The returned function adds a page. */
function makeHost(system?: System): (port: MessagePort) => void {
  const pages = new Map<number, Page>();
  let last = 0; // number of a page
  let running: Running | undefined;
  let crashed = false; // the last program

  function toAll(message: FromHost): void {
    for (const { port } of pages.values()) port.postMessage(message);
  }

  /** Informs the pages how many they are, except suspended ones: a message would remove them from the back/forward cache. */
  function countPages(): void {
    if (!shared) return;
    for (const { port, suspended } of pages.values()) {
      if (!suspended) port.postMessage({ tabs: pages.size } satisfies FromHost);
    }
  }

  function join(load: () => Promise<WebAssembly.Module>, port: MessagePort): void {
    if (running?.ready) port.postMessage(running.ready);
    if (!running) void start(load, (running = {}));
  }

  async function start(load: () => Promise<WebAssembly.Module>, mine: Running): Promise<void> {
    let end: FromHost;
    try {
      const module = await load();
      const why = await run(module, {
        post(message, number) {
          const page = pages.get(number);
          if (!page) return;
          page.port.postMessage(message);
          if (shared) count(page, number, message.text.length);
        },
        ready(dispatch, versions) {
          mine.dispatch = dispatch;
          mine.ready = { ready: versions, fresh: crashed };
          toAll(mine.ready);
        },
        reload() {
          const [number] = pages.keys();
          if (number !== undefined) mine.dispatch?.({ id: 0, op: "reload" }, number);
        },
      }, system);
      crashed = why !== "";
      end = { exit: why };
    } catch (e) {
      end = { failed: toWire(ownError(e)) };
    }
    running = undefined;
    toAll(end);
    pages.clear();
  }

  /** Counts what a page has not handled. */
  function count(page: Page, number: number, more: number): void {
    page.unread += more;
    const full = page.unread > (page.full ? 0 : maxUnread);
    if (full === page.full) return;
    page.full = full;
    if (!page.suspended) running?.dispatch?.({ id: 0, op: full ? "suspend" : "resume" }, number);
  }

  return (port) => {
    const number = ++last;
    const page: Page = { port, suspended: false, unread: 0, full: false };
    port.onmessage = ({ data }: { data: ToHost }) => {
      if ("request" in data) {
        if (!pages.has(number)) return;
        const { op } = data.request;
        if (op === "suspend" || op === "resume") page.suspended = op === "suspend";
        running?.dispatch?.(data.request, number);
        if (op === "resume") countPages();
      } else if ("ack" in data) {
        count(page, number, -data.ack);
      } else if ("ping" in data) {
        port.postMessage({ pong: true } satisfies FromHost);
      } else if ("module" in data) {
        pages.set(number, page);
        join(() => Promise.resolve(data.module), port);
      } else {
        pages.set(number, page);
        join(() => loadModule(data.wasm, (loaded) => toAll({ loaded })), port);
        countPages();
        void navigator.locks.request(data.lock, () => { // the page has ended
          if (pages.delete(number)) running?.dispatch?.({ id: 0, op: "gone" }, number);
          port.close();
          countPages();
        });
      }
    };
  };
}

const isWorker = typeof WorkerGlobalScope !== "undefined" && globalThis instanceof WorkerGlobalScope;
const scope = isWorker && "onconnect" in globalThis ? globalThis as unknown as SharedScope : undefined;
const shared = scope !== undefined;

interface SharedScope { name: string; onconnect: (event: { ports: readonly MessagePort[] }) => void }

/** Runs one program on a port, for one page. */
export function serve(port: MessagePort, system?: System): void {
  makeHost(system)(port);
}

if (scope) {
  const host = makeHost();
  const instance = crypto.randomUUID();
  // The browser releases the lock when this worker ends.
  const held = new Promise<void>((resolve) => {
    void navigator.locks.request(programLock(scope.name, instance), () => {
      resolve();
      return new Promise(() => undefined);
    });
  });
  scope.onconnect = ({ ports: [port] }) => {
    void held.then(() => {
      host(port!);
      port!.postMessage({ instance } satisfies FromHost);
    });
  };
} else if (isWorker) {
  // The page that created this worker sends a port.
  addEventListener("message", ({ data }: { data: { xmppPam?: MessagePort } | null }) => {
    if (data?.xmppPam) serve(data.xmppPam);
  });
}
