import type { Config } from "./options.js";

// Starts or loads the worker script. Bundlers copy the file that `new URL(…, import.meta.url)` names; in the literals
// `new Worker(new URL(…))` and `import("…")` they would compile it again for each.

const script = (): URL => new URL("./worker.js", import.meta.url);

export function makeWorker(given: Config["worker"]): Worker {
  return typeof given === "function" ? given() : new Worker(trusted(given ?? script()), { type: "module" });
}

/**
 * With the option `extendedLifetime`, the worker outlives a reload of its only page, in browsers that know it. Others
 * suspend the worker while all of its pages are in the back/forward cache.
 */
export function makeSharedWorker(name: string): { worker: SharedWorker; outlives: boolean } {
  let outlives = false; // whether the browser reads the option
  const options = {
    type: "module" as const, name,
    get extendedLifetime() {
      outlives = true;
      return true;
    },
  };
  const worker = new SharedWorker(trusted(script()), options);
  return { worker, outlives };
}

/** Loads the script into the thread of the page. */
export const importWorker = (): Promise<WorkerScript> =>
  import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ script().href) as Promise<WorkerScript>;

type WorkerScript = typeof import("./worker.js");

let policy: ScriptURLPolicy | undefined;

/** Converts the URL to a TrustedScriptURL where the browser has them; `trusted-types xmpp-pam` allows this. */
function trusted(url: string | URL): string | URL {
  try {
    policy ??= globalThis.trustedTypes?.createPolicy("xmpp-pam", { createScriptURL: (u) => u });
  } catch {
    return url; // the page may allow other policies only, and need none
  }
  return policy ? policy.createScriptURL(String(url)) : url;
}
