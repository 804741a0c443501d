import { fetchDocument } from "host:fetch";
import { deleteDatabase, openDatabase } from "host:idb";
import { deriveKey } from "host:kdf";
import { openSocket } from "host:socket";
import { makeGo } from "host:wasm_exec";
import { panicKind, panicTrace } from "./go-panic.js";
import { openTabChannel, type TabChannel } from "./tab-channel.js";
import type { RuntimeInfo } from "./types.js";
import type { FromHost, Request } from "./wire.js";

declare const BUILD_INFO: RuntimeInfo; // the build inserts it

// The host runs programs. It provides sockets, databases and documents to a program, and passes text between the program
// and its pages. It knows no protocol.

type Dispatch = (request: Request, page: number) => void;

/** What a program needs from its host. */
interface Pages {
  post(message: FromHost & { text: string }, page: number): void;
  ready(dispatch: Dispatch, versions: { go: string; version: string }): void;
  /** Requests that the stored list be read again. */
  reload(): void;
}

/** What a system offers to a program besides what browsers do: see node-worker.ts. */
export interface System { fs: NonNullable<Scope["fs"]>; path: unknown }

/** Runs a program. Resolves when it has ended: with "" if it ended normally, else with the reason. */
export async function run(module: WebAssembly.Module, pages: Pages, system?: System): Promise<string> {
  const scope: Scope = { ...makeScope(), ...system };
  const ended = new AbortController(); // closes what the program has opened
  /** Wraps a function that Go calls: adds the signal that is aborted when the program has ended. */
  const withEnd = <A extends unknown[], R>(open: (...args: [...A, AbortSignal]) => R) =>
    (...args: A): R => open(...args, ended.signal);
  let stderr = "";
  let channel: TabChannel | undefined;
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
      openChannel(account: string) {
        channel = openTabChannel(account, pages.reload);
        ended.signal.addEventListener("abort", channel.close);
      },
      announce: () => channel?.announce(),
      post(text: string, page: number) {
        const references = go.exited ? 0 : go._values.length - go._idPool.length;
        pages.post({ text, heap: memory?.buffer.byteLength ?? 0, references }, page);
        return text.length;
      },
      ready: (dispatch: Dispatch, go: string, version: string) => pages.ready(dispatch, { go, version }),
    };
    go.argv = ["xmpp-pam", key];
    go.env = { GOTRACEBACK: "system" }; // prints the addresses of functions
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
    ended.abort();
    return code === 0 ? "" : reason(stderr, `exit code ${code}`);
  } catch (e) {
    return reason(stderr, String(e));
  }
}

/** Returns why the program ended, and writes its stack to the console. scripts/stack.mjs adds the names of functions. */
function reason(stderr: string, end: string): string {
  const shown = panicTrace(stderr);
  if (shown !== "") console.error(`${shown}\nxmpp-pam ${BUILD_INFO.version}, build ${BUILD_INFO.build.slice(0, 12)}`);
  return panicKind(stderr) || end;
}

/** Returns the global scope of the program: what Go needs, and nothing of the page. */
function makeScope(): Scope {
  return {
    Object, Array, Uint8Array, Uint8ClampedArray, Error, Date, Promise, RegExp, Symbol, URL, JSON, Math,
    crypto, performance, TextEncoder, TextDecoder, console,
  };
}

interface Scope { fs?: { writeSync(fd: number, bytes: Uint8Array): number }; [name: string]: unknown }

