// Modules that the build provides from outside of this folder.

declare module "host:wasm_exec" {
  /** Go's wasm_exec.js, evaluated with `scope` as its global object. */
  export function makeGo(scope: object): new () => {
    argv: string[];
    exit(code: number): void;
    readonly importObject: WebAssembly.Imports;
    readonly exited: boolean;
    _resume(): void;
    readonly _scheduledTimeouts: Map<number, ReturnType<typeof setTimeout>>;
    readonly _values: readonly unknown[];
    readonly _idPool: readonly number[];
    run(instance: WebAssembly.Instance): Promise<void>;
  };
}
declare module "host:socket" {
  export const openSocket: (...args: unknown[]) => unknown;
}
declare module "host:idb" {
  export const openDatabase: (...args: unknown[]) => unknown;
  export const deleteDatabase: (...args: never[]) => unknown;
}
declare module "host:kdf" {
  export const deriveKey: (...args: unknown[]) => unknown;
}
declare module "host:fetch" {
  export const fetchDocument: (...args: unknown[]) => unknown;
}
declare const WorkerGlobalScope: undefined | (new () => object);
