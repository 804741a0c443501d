import type { WasmSource } from "./client-options.js";
import { messageOf, PamError, type PamErrorFields } from "./errors.js";
import type { PamErrorCode, RuntimeInfo } from "./types.js";

declare const BUILD_INFO: RuntimeInfo; // the build inserts it

/** The program that this package was built with. The client starts no other program. */
export const info: RuntimeInfo = Object.freeze(BUILD_INFO);

/** Reports whether this script knows its own URL. In a bundle that is not an ES module it may not. */
export const located = (): boolean => typeof import.meta.url === "string";
export const unlocated = (file: string, option: string): string =>
  `This script cannot find ${file}, because it was bundled without import.meta.url: `
  + `give ${option}, or bundle it as an ES module.`;

const byUrl = new Map<string, Promise<WebAssembly.Module>>();
const byObject = new WeakMap<object, Promise<WebAssembly.Module>>();

/** Called with the number of bytes of the program that have arrived, at most 20 times. */
export type Progress = (loaded: number) => void;

/**
 * Fetches and compiles the program, once for each source, and checks that it is the one that this package was built with.
 * After a failure the next call tries again. Only the progress of the first call is reported.
 */
export function loadModule(source?: WasmSource, progress?: Progress): Promise<WebAssembly.Module> {
  if (source === undefined && !located()) throw failure("wasm-load", unlocated("pam.wasm", "options.runtime.wasm"));
  if (source === undefined || typeof source === "string" || source instanceof URL) {
    const url = moduleURL(source);
    return remember(byUrl, url, () => fetchModule(url, progress));
  }
  return remember(byObject, source, () => moduleOf(source, progress));
}

type Modules<K> = Pick<Map<K, Promise<WebAssembly.Module>>, "get" | "delete"> & {
  set(key: K, value: Promise<WebAssembly.Module>): unknown;
};

function remember<K>(memory: Modules<K>, key: K, load: () => Promise<WebAssembly.Module>): Promise<WebAssembly.Module> {
  const known = memory.get(key);
  if (known) return known;
  const module = load();
  memory.set(key, module);
  module.catch(() => memory.delete(key));
  return module;
}

/** Returns the absolute URL of the program. */
export function moduleURL(source: string | URL | undefined): string {
  if (source === undefined) return new URL("./pam.wasm", import.meta.url).href;
  try {
    return new URL(source, typeof location === "undefined" ? undefined : location.href).href;
  } catch (e) {
    throw failure("bad-options", `options.runtime.wasm is not a URL: ${String(source)}`, { origin: "client", cause: e });
  }
}

async function fetchModule(url: string, progress?: Progress): Promise<WebAssembly.Module> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin" });
  } catch (e) {
    throw failure("wasm-load", `${url} could not be fetched (${messageOf(e)}). Check that the server provides it, and that `
      + "connect-src of the page's Content-Security-Policy allows it.", { cause: e, retryable: true });
  }
  return compileResponse(response, url, progress);
}

async function moduleOf(source: Exclude<WasmSource, string | URL>, progress?: Progress): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) {
    const [build] = WebAssembly.Module.customSections(source, "xmpp-pam");
    if (!build || hex(build) !== info.build) throw otherProgram("The module in options.runtime.wasm");
    return source;
  }
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return compileBytes(source, "options.runtime.wasm");
  const response = await source;
  if (typeof Response !== "undefined" && response instanceof Response) {
    return compileResponse(response, response.url || "options.runtime.wasm", progress);
  }
  throw new PamError("bad-options", "options.runtime.wasm must be a URL, a Response, bytes or a WebAssembly.Module.");
}

/** Chooses the way to compile by Content-Type before it reads the body, because a body can be read only once. */
async function compileResponse(response: Response, url: string, progress?: Progress): Promise<WebAssembly.Module> {
  const { ok, status } = response;
  if (!ok) {
    throw failure("wasm-load", `${url} was answered with status ${status}: ${remedy(url)}`, { retryable: status >= 500 });
  }
  const type = (response.headers.get("content-type") ?? "").trim().toLowerCase();
  if (type === "application/wasm" && // compileStreaming rejects parameters
      typeof WebAssembly.compileStreaming === "function") {
    const copy = response.clone(); // for the digest, which needs all of it, while the original is compiled
    return checked(WebAssembly.compileStreaming(response), readBody(copy, url, progress), url, type);
  }
  return compileBytes(await readBody(response, url, progress), url, type);
}

async function readBody(response: Response, url: string, progress?: Progress): Promise<Uint8Array<ArrayBuffer>> {
  try {
    if (!progress || !response.body) return new Uint8Array(await response.arrayBuffer());
    const reader = response.body.getReader();
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let loaded = 0;
    let reported = 0;
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      chunks.push(next.value);
      loaded += next.value.length;
      if (loaded - reported < info.bytes / 20 && loaded < info.bytes) continue;
      reported = loaded;
      progress(loaded);
    }
    return new Uint8Array(await new Blob(chunks).arrayBuffer());
  } catch (e) {
    throw failure("wasm-load", `The download of ${url} failed (${messageOf(e)}). Try again.`, { cause: e, retryable: true });
  }
}

async function compileBytes(
  source: ArrayBuffer | ArrayBufferView<ArrayBuffer>, url: string, type?: string,
): Promise<WebAssembly.Module> {
  const bytes = source instanceof ArrayBuffer ? new Uint8Array(source)
    : new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  return checked(WebAssembly.compile(bytes), bytes, url, type);
}

/**
 * Resolves with the module if its bytes are the program of this package. Browsers compute digests only in secure contexts;
 * elsewhere only the length is compared. An attacker who can change the program there can change this script too.
 */
async function checked(
  module: Promise<WebAssembly.Module>, body: Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>, url: string,
  type?: string,
): Promise<WebAssembly.Module> {
  module.catch(() => undefined); // an error found in the bytes takes precedence
  const bytes = await body;
  if (!(bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d)) {
    const as = type ? `, sent as ${type}` : "";
    throw failure("wasm-mime", `${url} is not a WebAssembly module${as}. `
      + `Servers often answer with a page for a file that does not exist: ${remedy(url)}`);
  }
  const same = bytes.length === info.bytes
    && (!globalThis.crypto?.subtle || hex(await crypto.subtle.digest("SHA-256", bytes)) === info.wasmSha256);
  if (!same) throw otherProgram(url);
  return module.catch((e: unknown) => { throw compileFailure(e, url); });
}

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");

const otherProgram = (what: string): PamError => failure("wasm-version",
  `${what} is not the program that this script was built with (version ${info.version}, SHA-256 ${info.wasmSha256}). `
  + "Serve pam.wasm and the scripts from the same package, and check that no cache or proxy serves an old copy.");

/**
 * Vite's dependency optimizer moves the script, but not the files next to it. Vite's development server also refuses files
 * outside the project, such as those of a linked package.
 */
function remedy(url: string): string {
  if (url.includes("/.vite/")) return 'add optimizeDeps: { exclude: ["xmpp-pam"] } to the configuration of Vite.';
  if (url.includes("/@fs/")) {
    return "run npm install --install-links, or allow the package's folder in server.fs.allow of Vite.";
  }
  return "serve pam.wasm there, or give options.runtime.wasm.";
}

function compileFailure(e: unknown, url: string): PamError {
  const text = messageOf(e);
  if (/content security policy|unsafe-eval|blocked by csp/i.test(text)) {
    return failure("wasm-csp", `${url} may not be compiled: add 'wasm-unsafe-eval' to script-src of the page's `
      + "Content-Security-Policy.", { cause: e });
  }
  return failure("wasm-load", `${url} cannot be compiled (${text}). Serve the file as it is in the package.`, { cause: e });
}

const failure = (code: PamErrorCode, text: string, fields: PamErrorFields = {}): PamError =>
  new PamError(code, text, { origin: "runtime", ...fields });
