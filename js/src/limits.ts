import { abortedError, ownError, PamError, timeoutError } from "./errors.js";
import { fields, signalOf } from "./options.js";
import type { OpOptions } from "./types.js";

const longest = 2 ** 31 - 1; // the largest delay of setTimeout

/**
 * Runs a call with the caller's signal and time limit. When one of them ends the call, the promise rejects immediately and
 * the signal given to `run` is aborted. The same happens when `closed` is aborted; its reason is then the error. The promise
 * also rejects for invalid options, because an async method never throws. `more` names the additional options of this call.
 */
export function limited<T>(
  options: OpOptions | undefined, run: (signal: AbortSignal) => Promise<T>, closed?: AbortSignal,
  more: readonly string[] = [],
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const given = fields(options ?? {}, "options", ["signal", "timeoutMs", ...more]);
    const signal = signalOf(given.signal);
    const limit = given.timeoutMs;
    if (limit !== undefined && !(typeof limit === "number" && limit >= 0)) {
      throw new PamError("bad-options", "options.timeoutMs must be a number of milliseconds.");
    }
    closed?.throwIfAborted();
    if (signal?.aborted) throw abortedError(signal);

    const inner = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      closed?.removeEventListener("abort", close);
    };
    const fail = (e: PamError): void => {
      finish();
      reject(e);
      inner.abort(e);
    };
    const abort = (): void => fail(abortedError(signal!));
    const close = (): void => fail(ownError(closed!.reason));
    signal?.addEventListener("abort", abort);
    closed?.addEventListener("abort", close);
    if (limit !== undefined && limit <= longest) {
      timer = setTimeout(() => fail(timeoutError(limit)), limit);
    }
    (async () => run(inner.signal))().finally(finish).then(resolve, reject);
  });
}
