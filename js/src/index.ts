import type { ClientOptions, WasmSource } from "./client-options.js";
import { makeClient } from "./client.js";
import { info, loadModule } from "./loader.js";
import type { PamClient, RuntimeInfo } from "./types.js";

export { PamError } from "./errors.js";
export type { PamErrorFields } from "./errors.js";
export type * from "./client-options.js";
export type * from "./inbox-types.js";
export type * from "./pubsub-types.js";
export type * from "./types.js";

/**
 * Creates a client for one account. The client loads and sends nothing until one of its methods is called. Throws a
 * PamError with code "bad-options" or "bad-jid".
 *
 * While the client is connected, the account appears online to its contacts: servers deliver nothing to a session without
 * presence, so the client sends presence. The server may also deliver chat messages to this session; the client emits them
 * as `message` events.
 */
export function createClient(options: ClientOptions): PamClient {
  return makeClient(options);
}

/** Fetches and compiles the program before connect() needs it. It may be called any number of times. */
export async function preload(wasm?: WasmSource): Promise<RuntimeInfo> {
  await loadModule(wasm);
  return info;
}
