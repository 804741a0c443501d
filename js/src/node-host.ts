import { readFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { messageOf, PamError } from "./errors.js";
import { loadModule } from "./loader.js";
import type { Host, HostFailure } from "./runtime.js";

let program: Promise<WebAssembly.Module> | undefined;

/** Reads and compiles the program once. After a failure the next call tries again. */
export function loadProgram(): Promise<WebAssembly.Module> {
  if (program) return program;
  const loading = readProgram();
  program = loading;
  loading.catch(() => { program = undefined; });
  return loading;
}

async function readProgram(): Promise<WebAssembly.Module> {
  const url = new URL("./pam-node.wasm", import.meta.url);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await readFile(url);
  } catch (e) {
    throw new PamError("wasm-load", `${url.pathname} cannot be read (${messageOf(e)}). It must be beside the script of this `
      + "package: do not bundle xmpp-pam/node.", { origin: "runtime", cause: e });
  }
  return loadModule(bytes);
}

/**
 * Opens a host in a thread of its own: while the program reads a long list, the process could do nothing else. terminate()
 * ends the program even if it hangs.
 */
export async function openThread(failed: HostFailure): Promise<Host> {
  const module = await loadProgram();
  const { port1: port, port2 } = new MessageChannel();
  const thread = new Worker(new URL("./node-worker.js", import.meta.url));
  thread.on("error", (e) => {
    const text = messageOf(e);
    failed(`The thread of the program failed: ${text}`, { cause: e }, text);
  });
  thread.postMessage({ xmppPam: port2 }, [port2]);
  return {
    where: "worker", port, begin: { module },
    release() {
      port.close();
      void thread.terminate();
    },
  };
}
