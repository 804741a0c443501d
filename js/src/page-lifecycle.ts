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
  /** The user looks at the page, or no longer does. */
  look?: (visible: boolean) => void;
  /** The page goes into the back/forward cache, and comes back. */
  store(): void;
  restore(): void;
}

/** Calls the handlers until the returned function is called. Outside a page it does nothing. */
export function watchPage(page: PageHandlers): () => void {
  if (typeof addEventListener !== "function") return () => undefined;
  const off = new AbortController();
  const options = { signal: off.signal };
  const wake = (): void => page.wake?.();
  addEventListener("online", wake, options);
  addEventListener("pageshow", ({ persisted }) => {
    page.show();
    if (persisted) page.restore();
    wake();
  }, options);
  addEventListener("pagehide", ({ persisted }) => {
    if (persisted) page.store();
    else page.leave();
    page.sleep();
  }, options);
  if (typeof document !== "undefined") {
    const visible = (): boolean => document.visibilityState === "visible";
    const changed = (): void => {
      page.look?.(visible());
      if (visible()) wake();
      else page.sleep();
    };
    page.look?.(visible());
    addEventListener("focus", () => page.look?.(true), options);
    document.addEventListener("resume", wake, options);
    document.addEventListener("freeze", () => page.sleep(), options);
    document.addEventListener("visibilitychange", changed, options);
  }
  return () => off.abort();
}
