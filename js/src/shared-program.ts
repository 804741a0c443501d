import { info, located, moduleURL } from "./loader.js";
import type { Config } from "./options.js";
import type { Host } from "./runtime.js";
import type { FromHost } from "./wire.js";
import { makeSharedWorker } from "./worker-script.js";

// Finds the host of the program that all tabs of this origin share: a SharedWorker.

const helloTime = 1000; // ms for a host to answer, before it is asked again
const hangsAfter = 5; // of these times
const mostLoading = 60; // of these times, in which its script is loading
const mostHosts = 3; // hosts that hang, before the page gets a program of its own

/** The format of what is stored. A host of another version or format is another host. */
const format = 2;

/** The name of the lock that a host holds as long as it lives. */
export const programLock = (host: string, instance: string): string => `xmpp-pam:program:${host}:${instance}`;

/** Says why a page cannot share a program; undefined if it can. */
export function whyNotShared(config: Config): string | undefined {
  if (config.wasm !== undefined && typeof config.wasm !== "string" && !(config.wasm instanceof URL)) {
    return "options.runtime.wasm is not a URL";
  }
  return config.worker === undefined ? undefined : "options.runtime.worker is given";
}

/** Reports whether the options and the browser allow that a program is shared. */
export const mayShare = ({ tabs, where }: Config): boolean =>
  tabs === "shared" && where === undefined && located() && typeof SharedWorker === "function"
  && typeof navigator === "object" && navigator.locks !== undefined;

/**
 * Connects to the host of the shared program of an account, which the browser starts if there is none. A host that does not
 * answer although it runs is left alone, and another one is used. Resolves with undefined if none answers.
 */
export async function findSharedHost({ account, wasm }: Config, closed: AbortSignal): Promise<Host | undefined> {
  const lock = `xmpp-pam:page:${crypto.randomUUID()}`;
  let loseLock!: () => void;
  const lockLost = new Promise<void>((resolve) => { loseLock = resolve; });
  const releaseLock = await hold(lock, loseLock);
  for (let n = 0; n < mostHosts && !closed.aborted; n++) {
    const name = `xmpp-pam ${info.version} ${format} ${account}${n > 0 ? ` ${n}` : ""}`;
    const found = await connect(name, closed);
    if (found === undefined) break;
    if (found === "hangs") continue;
    const { port, instance, outlives } = found;
    const over = new AbortController();
    return {
      where: "shared-worker", port, outlives,
      begin: { wasm: moduleURL(wasm as string | URL | undefined), lock },
      session: `shared ${info.version}${n > 0 ? ` ${n}` : ""}`, // another version is another program
      watch(lost) {
        const { signal } = over;
        // All pages may hold the lock together, and only once the host has ended.
        const ended = (): void => lost("was ended by the browser");
        navigator.locks.request(programLock(name, instance), { mode: "shared", signal }, ended).catch(() => undefined);
        // The host then takes this page for ended.
        void lockLost.then(() => lost("was left while the page was in the back/forward cache"));
      },
      release() {
        over.abort();
        releaseLock();
        setTimeout(() => port.close()); // after what was posted to it
      },
    };
  }
  releaseLock();
  return undefined;
}

/**
 * Resolves with a function that releases the lock. `lost` is called if the browser takes the lock away: WebKit does so when
 * the page goes into the back/forward cache.
 */
function hold(name: string, lost: () => void): Promise<() => void> {
  return new Promise((resolve) => {
    navigator.locks.request(name, () => new Promise<void>((release) => resolve(release))).catch(lost);
  });
}

interface Found { readonly port: MessagePort; readonly instance: string; readonly outlives: boolean }

/** Connects to a host. Resolves with undefined if it cannot be started. */
async function connect(name: string, closed: AbortSignal): Promise<Found | "hangs" | undefined> {
  let holder: string | undefined; // the lock of the host that does not answer
  let silent = 0; // how often it did not
  for (let times = 0; times < mostLoading; times++) {
    const found = await openPort(name, closed);
    if (found !== "silent") return found;
    // Its script may still be loading, or the browser ended it before it could answer. WebKitGTK starts a host anew when it
    // ends the process of a tab, and may lose a port meanwhile. A page in Chromium's back/forward cache was reloaded in
    // tests that queried the locks each time, so that this is done only now.
    const now = await heldLock(programLock(name, ""));
    silent = now === undefined ? 0 : now === holder ? silent + 1 : 1;
    holder = now;
    if (silent === hangsAfter) return "hangs";
  }
  return undefined;
}

/** Opens a port to a host, and waits for its first message. */
function openPort(name: string, closed: AbortSignal): Promise<Found | "silent" | undefined> {
  return new Promise((resolve) => {
    let made: ReturnType<typeof makeSharedWorker>;
    try {
      made = makeSharedWorker(name);
    } catch {
      resolve(undefined);
      return;
    }
    const { worker, outlives } = made;
    const { port } = worker;
    const end = (found: Found | "silent" | undefined): void => {
      clearTimeout(timer);
      closed.removeEventListener("abort", stop);
      port.onmessage = worker.onerror = null;
      if (typeof found !== "object") port.close();
      resolve(found);
    };
    const stop = (): void => end(undefined);
    const timer = setTimeout(end, helloTime, "silent");
    closed.addEventListener("abort", stop);
    worker.onerror = stop;
    port.onmessage = ({ data }: { data: FromHost }) => {
      if ("instance" in data) end({ port, instance: data.instance, outlives });
    };
  });
}

/** Resolves with the name of a lock that is held, and begins with a prefix. */
async function heldLock(prefix: string): Promise<string | undefined> {
  const { held } = await navigator.locks.query();
  return held!.find(({ name }) => name!.startsWith(prefix))?.name;
}
