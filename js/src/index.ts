import { makeClient } from "./client.js";
import { info, loadModule } from "./loader.js";
import type { ClientOptions, PamClient, RuntimeInfo, WasmSource } from "./types.js";

export { PamError } from "./errors.js";
export type { PamErrorFields } from "./errors.js";
export type * from "./types.js";

/**
 * Makes a client for one account. It is inert until a method is called. Throws a PamError with code "bad-options" or
 * "bad-jid".
 *
 * While it is connected the account is seen online, because servers deliver nothing to a session that sends no
 * presence. A server may also hand this session chat messages: they come as `message` events.
 */
export function createClient(options: ClientOptions): PamClient {
  return makeClient(options);
}

/** Fetches and compiles the program ahead of connect(). May be called any number of times. */
export async function preload(wasm?: WasmSource): Promise<RuntimeInfo> {
  await loadModule(wasm);
  return info;
}
