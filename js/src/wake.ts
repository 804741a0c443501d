/**
 * Calls fn when the network or the page may be back: a backed-off timer may fire much later in a hidden page. Returns
 * what stops it. Where there is no page, it does nothing.
 */
export function onWake(fn: () => void): () => void {
  if (typeof addEventListener !== "function") return () => undefined;
  const off = new AbortController();
  const options = { signal: off.signal };
  addEventListener("online", fn, options);
  addEventListener("pageshow", fn, options);
  if (typeof document !== "undefined") {
    document.addEventListener("resume", fn, options);
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && fn(), options);
  }
  return () => off.abort();
}
