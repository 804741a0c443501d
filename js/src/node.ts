import type { ClientOptions } from "./client-options.js";
import { makeClient } from "./client.js";
import { PamError } from "./errors.js";
import { info } from "./loader.js";
import { loadProgram, openThread } from "./node-host.js";
import { fields, text, type Platform } from "./options.js";
import { resolve } from "node:path";
import type { PamClient, RuntimeInfo } from "./types.js";

export { PamError } from "./errors.js";
export type { PamErrorFields } from "./errors.js";
export type * from "./client-options.js";
export type * from "./inbox-types.js";
export type * from "./pubsub-types.js";
export type * from "./types.js";

export interface NodeClientOptions extends Omit<ClientOptions, "storage" | "tabs" | "runtime"> {
  /**
   * Where the client stores the list and the inbox: in files in this directory, which several accounts and processes may
   * use. The client creates it. Default "memory". If the files cannot be used, the client uses memory, as `sync` shows.
   */
  storage?: "memory" | { readonly directory: string };
}

const platform: Platform = {
  readStorage(given) {
    if (given === undefined || given === "memory") return { storage: "memory", directory: undefined };
    if (typeof given !== "object") {
      throw new PamError("bad-options", 'options.storage must be "memory" or an object such as { directory: "data" }.');
    }
    const directory = text(fields(given, "options.storage", ["directory"]).directory, "options.storage.directory");
    if (directory === "") throw new PamError("bad-options", "options.storage.directory must be the path of a directory.");
    return { storage: "files", directory: resolve(directory) };
  },
  openHost: openThread,
};

/**
 * Creates a client for one account. The client loads and sends nothing until one of its methods is called. It then runs the
 * program in a thread of its own, and keeps the process running until `close()`. Throws a PamError with code "bad-options"
 * or "bad-jid".
 */
export function createClient(options: NodeClientOptions): PamClient {
  return makeClient(options as ClientOptions, platform);
}

/** Reads and compiles the program before connect() needs it. It may be called any number of times. */
export async function preload(): Promise<RuntimeInfo> {
  await loadProgram();
  return info;
}
