// Declarations of what the build and the browser provide: the modules "host:…", which are the JavaScript halves of the
// packages in wasm/ and Go's own script, and globals that the compiler's libraries do not declare. test/types/host.ts
// compares these types with the JSDoc of the modules.

declare module "host:wasm_exec" {
  interface Go {
    argv: string[];
    env: Record<string, string>;
    exit(code: number): void;
    readonly importObject: WebAssembly.Imports;
    readonly exited: boolean;
    _resume(): void;
    readonly _scheduledTimeouts: Map<number, ReturnType<typeof setTimeout>>;
    readonly _values: readonly unknown[];
    readonly _idPool: readonly number[];
    run(instance: WebAssembly.Instance): Promise<void>;
  }
  /** Evaluates Go's wasm_exec.js with `scope` as its global object. The script defines `fs` there. */
  export function makeGo(scope: object): new () => Go;
}

declare module "host:socket" {
  export function openSocket(
    url: string, protocol: string, maxMessage: number, maxQueued: number, onOpen: (protocol: string) => void,
    onBatch: (batch: Uint8Array, single: boolean) => void, onClose: (code: number, reason: string) => void,
    ended: AbortSignal,
  ): { error: string } | { send(message: string): "" | "closed" | "full"; close(code: number, reason: string): void };
}

declare module "host:idb" {
  interface Running { cancel(): void }
  /** `done` receives an object with the methods of a connection, which Go calls. */
  export function openDatabase(
    name: string, create: boolean, blockedTimeout: number, onLost: (errorName: string, errorMessage: string) => void,
    done: (errorName: string, errorMessage: string, connection?: object) => void, ended: AbortSignal,
  ): Running;
  export function deleteDatabase(
    name: string, blockedTimeout: number, done: (errorName: string, errorMessage: string) => void,
  ): Running;
}

declare module "host:kdf" {
  export function deriveKey(
    hash: "SHA-1" | "SHA-256" | "SHA-512", password: string, salt: string, iterations: number, size: number,
    onDone: (error: string, key: string) => void, ended: AbortSignal,
  ): { cancel(): void } | undefined;
}

declare module "host:fetch" {
  export function fetchDocument(
    url: string, limit: number, onDone: (error: string, status: number, body: string) => void, ended: AbortSignal,
  ): { cancel(): void };
}

declare const WorkerGlobalScope: undefined | (new () => object);

/** A Trusted Types policy. The TrustedScriptURL that it creates is declared as a string, because callers use it as a URL. */
interface ScriptURLPolicy { createScriptURL(url: string): string }
// eslint-disable-next-line no-var -- only a var is a property of globalThis
declare var trustedTypes: undefined | {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): ScriptURLPolicy;
};

// The part of Node.js that node.ts and its thread use, and of the package ws.

declare module "node:fs" {
  const fs: { writeSync(fd: number, bytes: Uint8Array): number };
  export default fs;
}

declare module "node:fs/promises" {
  export function readFile(path: URL): Promise<Uint8Array<ArrayBuffer>>;
}

declare module "node:path" {
  export function resolve(...segments: string[]): string;
  const path: object;
  export default path;
}

declare module "node:worker_threads" {
  export class Worker {
    constructor(script: URL);
    on(event: "error", listener: (error: unknown) => void): void;
    postMessage(message: { xmppPam: MessagePort }, transfer: MessagePort[]): void;
    terminate(): Promise<number>;
  }
  export const parentPort: null | {
    once(event: "message", listener: (message: { xmppPam: MessagePort }) => void): void;
  };
}

declare module "ws" {
  export class WebSocket extends globalThis.WebSocket {
    on(event: "error", listener: () => void): void;
  }
}
