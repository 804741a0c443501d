/** The events of a page that a client acts on. */
export interface PageHandlers {
  /** The network or the page may be back: a backed-off timer may fire much later in a hidden page. */
  wake?: () => void;
  /** The page may be stopped soon, for a while or for good. */
  sleep(): void;
  /** The page ends now. It does not come back: a page that goes into the back/forward cache sleeps. */
  leave(): void;
  /** The page is shown, for the first time or again. */
  show(): void;
}

/** Calls the handlers until the returned function is called. Outside of a page it does nothing. */
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
