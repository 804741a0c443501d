import { messageOf } from "./errors.js";
import { loadModule, located, unlocated, type Progress } from "./loader.js";
import type { Config } from "./options.js";
import type { Host, HostFailure } from "./runtime.js";
import { importWorker, makeWorker } from "./worker-script.js";

/** Loads the program, and opens a host for it: a Worker of this page, or the page's own thread; in Node.js, a thread. */
export async function openOwnHost(config: Config, failed: HostFailure, progress: Progress): Promise<Host> {
  if (config.openHost) return config.openHost(failed);
  const where = config.where ?? (typeof Worker === "function" ? "worker" : "main");
  const module = await loadModule(config.wasm, progress);
  const { port1: port, port2 } = new MessageChannel();
  let worker: Worker | undefined;
  if (where === "main") {
    importWorker().then(({ serve }) => serve(port2)).catch((e: unknown) => {
      failed(`The script worker.js of this package could not be loaded: ${messageOf(e)}`, { cause: e });
    });
  } else {
    try {
      worker = makeWorker(config.worker);
      worker.onerror = (event) => {
        event.preventDefault?.();
        failed(`The worker script could not be loaded${event.message ? `: ${event.message}` : ""}. `
          + "Serve worker.js of this package next to index.js, or give options.runtime.worker.", {}, event.message);
      };
      worker.postMessage({ xmppPam: port2 }, [port2]);
    } catch (e) {
      const words = config.worker === undefined && !located() ? unlocated("worker.js", "options.runtime.worker")
        : `The Worker could not be started: ${messageOf(e).replace(/\.+$/, "")}. Its script must be of the page's own origin, and allowed by `
          + "worker-src of the page's Content-Security-Policy; or set options.runtime.where to \"main\".";
      setTimeout(() => failed(words, { cause: e, retryable: false }));
    }
  }
  return {
    where, port, begin: { module },
    release() {
      port.close();
      (worker as Partial<Worker> | undefined)?.terminate?.(); // options.runtime.worker may have returned anything
    },
  };
}
