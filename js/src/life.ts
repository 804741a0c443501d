/** What happens to a page that a client must know. */
export interface Life {
  /** The network or the page may be back: a backed-off timer may fire much later in a hidden page. */
  wake?: () => void;
  /** The page may be stopped soon, for a while or for good. */
  sleep(): void;
  /** The page ends now. It does not come back: what goes into the back/forward cache sleeps. */
  leave(): void;
  /** The page is shown, for the first time or again. */
  show(): void;
}

/** Tells what happens to the page until the returned function is called. Where there is no page, it does nothing. */
export function watchLife(life: Life): () => void {
  if (typeof addEventListener !== "function") return () => undefined;
  const off = new AbortController();
  const options = { signal: off.signal };
  const wake = (): void => life.wake?.();
  addEventListener("online", wake, options);
  addEventListener("pageshow", () => {
    life.show();
    wake();
  }, options);
  addEventListener("pagehide", ({ persisted }) => {
    if (!persisted) life.leave();
    life.sleep();
  }, options);
  if (typeof document !== "undefined") {
    document.addEventListener("resume", wake, options);
    document.addEventListener("freeze", () => life.sleep(), options);
    document.addEventListener("visibilitychange", () => (document.visibilityState === "visible" ? wake() : life.sleep()), options);
  }
  return () => off.abort();
}
