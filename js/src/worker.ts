import { fetchDocument } from "host:fetch";
import { deleteDatabase, openDatabase } from "host:idb";
import { deriveKey } from "host:kdf";
import { openSocket } from "host:socket";
import { makeGo } from "host:wasm_exec";
import { kind, trace } from "./trace.js";
import type { FromHost, ToHost } from "./wire.js";

// The host of the program: what runs in the Worker, or in the page's own thread if the page wants that. It gives the
// program sockets, databases and documents, and passes text on. It knows no protocol.

/** Runs one program on a port. The first message is the module, the others are requests. */
export function serve(port: MessagePort): void {
  let dispatch: ((request: object) => void) | undefined;
  const send = (message: FromHost): void => port.postMessage(message);
  const end = (why: string): void => {
    dispatch = undefined;
    send({ exit: why });
  };
  port.onmessage = ({ data }: { data: ToHost }) => {
    if ("module" in data) {
      run(data.module, send, (d) => { dispatch = d; }).then(end, (e: unknown) => end(String(e)));
      return;
    }
    dispatch?.(data.request);
  };
}

/** Resolves when the program has ended: with "" if in order, else with the reason. */
async function run(module: WebAssembly.Module, send: (m: FromHost) => void, ready: (dispatch: (request: object) => void) => void): Promise<string> {
  const scope = makeScope();
  const over = new AbortController(); // ends what a program leaves behind
  let complaint = "";
  try {
    const go = new (makeGo(scope))(); // puts fs into the scope
    scope.fs.writeSync = (_fd, bytes) => {
      complaint = (complaint + new TextDecoder().decode(bytes)).slice(0, 16_384);
      return bytes.length;
    };
    let memory: WebAssembly.Memory | undefined;
    const key = "xmpp-pam";
    scope[key] = {
      deleteDatabase,
      deriveKey: (...args: unknown[]) => deriveKey(...args, over.signal),
      fetchDocument: (...args: unknown[]) => fetchDocument(...args, over.signal),
      openDatabase: (...args: unknown[]) => openDatabase(...args, over.signal),
      openSocket: (...args: unknown[]) => openSocket(...args, over.signal),
      post(text: string) {
        send({ text, heap: memory?.buffer.byteLength ?? 0, references: go.exited ? 0 : go._values.length - go._idPool.length });
        return text.length;
      },
      ready(dispatch: (request: object) => void, goVersion: string, version: string) {
        ready(dispatch);
        send({ ready: { go: goVersion, version } });
      },
    };
    go.argv = ["xmpp-pam", key];
    const bury = (): void => { // nobody is left to be called or woken
      go._resume = () => undefined;
      for (const timer of go._scheduledTimeouts.values()) clearTimeout(timer);
      go._scheduledTimeouts.clear();
      over.abort();
    };
    let code = 0;
    go.exit = (c) => {
      code = c;
      bury();
    };
    const resume = go._resume;
    const trapped = new Promise<never>((_, reject) => {
      go._resume = () => {
        try {
          resume.call(go);
        } catch (e) {
          bury();
          reject(e);
        }
      };
    });
    const instance = await WebAssembly.instantiate(module, go.importObject);
    memory = instance.exports.mem as WebAssembly.Memory;
    await Promise.race([go.run(instance), trapped]);
    return code === 0 ? "" : reason(complaint, `exit code ${code}`);
  } catch (e) {
    return reason(complaint, String(e));
  }
}

/** Why the program ended. Where it happened goes to the console. */
function reason(complaint: string, end: string): string {
  const shown = trace(complaint);
  if (shown !== "") console.error(shown);
  return kind(complaint) || end;
}

/** The global scope that the program sees: what Go needs, and nothing of the page. */
function makeScope(): Scope {
  const { Object, Array, Uint8Array, Uint8ClampedArray, Error, Date, Promise, Symbol, JSON, Math, crypto, performance, TextEncoder, TextDecoder, console } = globalThis;
  return { Object, Array, Uint8Array, Uint8ClampedArray, Error, Date, Promise, Symbol, JSON, Math, crypto, performance, TextEncoder, TextDecoder, console } as unknown as Scope;
}

interface Scope { fs: { writeSync(fd: number, bytes: Uint8Array): number }; [name: string]: unknown }

// In the Worker that the page made, the page sends a port. Imported anywhere else, nobody does.
if (typeof WorkerGlobalScope !== "undefined" && globalThis instanceof WorkerGlobalScope) {
  addEventListener("message", ({ data }: { data: { xmppPam?: MessagePort } | null }) => {
    if (data?.xmppPam) serve(data.xmppPam);
  });
}
