/** The page events that a client handles. */
export interface PageHandlers {
  /** The network or the page may be available again. In a hidden page, a back-off timer may fire much later. */
  wake?: () => void;
  /** The browser may suspend or discard the page soon. */
  sleep(): void;
  /** The page ends now and is not restored. For a page that goes into the back/forward cache only `sleep` is called. */
  leave(): void;
  /** The browser shows the page, for the first time or again. */
  show(): void;
}

/** Calls the handlers until the returned function is called. Outside a page it does nothing. */
export function watchPage(page: PageHandlers): () => void {
  if (typeof addEventListener !== "function") return () => undefined;
  const off = new AbortController();
  const options = { signal: off.signal };
  const wake = (): void => page.wake?.();
  addEventListener("online", wake, options);
  addEventListener("pageshow", () => {
    page.show();
    wake();
  }, options);
  addEventListener("pagehide", ({ persisted }) => {
    if (!persisted) page.leave();
    page.sleep();
  }, options);
  if (typeof document !== "undefined") {
    const changed = (): void => (document.visibilityState === "visible" ? wake() : page.sleep());
    document.addEventListener("resume", wake, options);
    document.addEventListener("freeze", () => page.sleep(), options);
    document.addEventListener("visibilitychange", changed, options);
  }
  return () => off.abort();
}
