import type { Config } from "./options.js";

// Starts the worker script. Bundlers find it by the literal `new Worker(new URL(…, import.meta.url))`.

export function makeWorker(given: Config["worker"]): Worker {
  if (typeof given === "function") return given();
  if (given !== undefined) return new Worker(trusted(given), { type: "module" });
  try {
    return new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  } catch (e) {
    if (!needsPolicy(e)) throw e;
    return new Worker(trusted(new URL("./worker.js", import.meta.url)), { type: "module" });
  }
}

/**
 * With the option `extendedLifetime`, the worker outlives a reload of its only page, in browsers that know it. Vite rejects
 * options in which a spread follows `type`.
 */
export function makeSharedWorker(name: string): SharedWorker {
  try {
    return new SharedWorker(new URL("./worker.js", import.meta.url), { ...lasting, type: "module", name });
  } catch (e) {
    if (!needsPolicy(e)) throw e;
    return new SharedWorker(trusted(new URL("./worker.js", import.meta.url)), { ...lasting, type: "module", name });
  }
}

const lasting = { extendedLifetime: true };

const needsPolicy = (e: unknown): boolean => e instanceof TypeError && globalThis.trustedTypes !== undefined;

let policy: ScriptURLPolicy | undefined;

/** Converts the URL to a TrustedScriptURL where the page requires one; `trusted-types xmpp-pam` allows this. */
function trusted(url: string | URL): string | URL {
  policy ??= globalThis.trustedTypes?.createPolicy("xmpp-pam", { createScriptURL: (u) => u });
  return policy ? policy.createScriptURL(String(url)) : url;
}
