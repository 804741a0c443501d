import { fetchDocument } from "host:fetch";
import { deleteDatabase, openDatabase } from "host:idb";
import { deriveKey } from "host:kdf";
import { openSocket } from "host:socket";
import { makeGo } from "host:wasm_exec";
import { panicKind, panicTrace } from "./go-panic.js";
import type { FromHost, Request, ToHost } from "./wire.js";

// The host of the program. It runs in the Worker, or in the page's own thread if the options say so. It provides sockets,
// databases and documents to the program, and passes text between the program and the page. It knows no protocol.

type Dispatch = (request: Request) => void;

/** Runs one program on a port. The first message contains the module, the others are requests. */
export function serve(port: MessagePort): void {
  let dispatch: Dispatch | undefined;
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

/** Resolves when the program has ended: with "" if it ended normally, else with the reason. */
async function run(
  module: WebAssembly.Module, send: (m: FromHost) => void, ready: (dispatch: Dispatch) => void,
): Promise<string> {
  const scope = makeScope();
  const ended = new AbortController(); // closes what the program has opened
  /** Wraps a function that Go calls: adds the signal that is aborted when the program has ended. */
  const withEnd = <A extends unknown[], R>(open: (...args: [...A, AbortSignal]) => R) =>
    (...args: A): R => open(...args, ended.signal);
  let stderr = "";
  try {
    const go = new (makeGo(scope))();
    scope.fs!.writeSync = (_fd, bytes) => {
      stderr = (stderr + new TextDecoder().decode(bytes)).slice(0, 16_384);
      return bytes.length;
    };
    let memory: WebAssembly.Memory | undefined;
    const key = "xmpp-pam";
    scope[key] = {
      deleteDatabase,
      deriveKey: withEnd(deriveKey),
      fetchDocument: withEnd(fetchDocument),
      openDatabase: withEnd(openDatabase),
      openSocket: withEnd(openSocket),
      post(text: string) {
        const references = go.exited ? 0 : go._values.length - go._idPool.length;
        send({ text, heap: memory?.buffer.byteLength ?? 0, references });
        return text.length;
      },
      ready(dispatch: Dispatch, goVersion: string, version: string) {
        ready(dispatch);
        send({ ready: { go: goVersion, version } });
      },
    };
    go.argv = ["xmpp-pam", key];
    const dispose = (): void => { // the program has ended: none of its callbacks and timers may run
      go._resume = () => undefined;
      for (const timer of go._scheduledTimeouts.values()) clearTimeout(timer);
      go._scheduledTimeouts.clear();
      ended.abort();
    };
    let code = 0;
    go.exit = (c) => {
      code = c;
      dispose();
    };
    const resume = go._resume;
    const crashed = new Promise<never>((_, reject) => {
      go._resume = () => {
        try {
          resume.call(go);
        } catch (e) {
          dispose();
          reject(e instanceof Error ? e : new Error(String(e)));
        }
      };
    });
    const instance = await WebAssembly.instantiate(module, go.importObject);
    memory = instance.exports.mem as WebAssembly.Memory;
    await Promise.race([go.run(instance), crashed]);
    return code === 0 ? "" : reason(stderr, `exit code ${code}`);
  } catch (e) {
    return reason(stderr, String(e));
  }
}

/** Returns why the program ended, and writes its stack to the console. */
function reason(stderr: string, end: string): string {
  const shown = panicTrace(stderr);
  if (shown !== "") console.error(shown);
  return panicKind(stderr) || end;
}

/** Returns the global scope of the program: what Go needs, and nothing of the page. */
function makeScope(): Scope {
  return {
    Object, Array, Uint8Array, Uint8ClampedArray, Error, Date, Promise, Symbol, JSON, Math,
    crypto, performance, TextEncoder, TextDecoder, console,
  };
}

interface Scope { fs?: { writeSync(fd: number, bytes: Uint8Array): number }; [name: string]: unknown }

// In the Worker that the page created, the page sends a port. Where this module is imported otherwise, no port arrives.
if (typeof WorkerGlobalScope !== "undefined" && globalThis instanceof WorkerGlobalScope) {
  addEventListener("message", ({ data }: { data: { xmppPam?: MessagePort } | null }) => {
    if (data?.xmppPam) serve(data.xmppPam);
  });
}
