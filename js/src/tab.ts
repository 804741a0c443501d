/**
 * The name under which the program keeps its session, so that the next page in this tab can resume it. Each program has a
 * name of its own, and leaves it in sessionStorage at the last moment, when the page ends.
 *
 * The browser copies sessionStorage when a tab is duplicated, so a name must not be there while a program uses it. Two tabs
 * may find the same name all the same, if one was duplicated between two pages: then the program decides which of them gets
 * the session, and each keeps its own under a new name. For the same reason a page that may come back from the back/forward
 * cache leaves no name: its own program keeps the session.
 */
export interface Tab {
  readonly tab: string;
  /** The name that the page before left behind. */
  readonly resume?: string;
}

const place = (account: string): string => `xmpp-pam:tab:${account}`;

/** A name for a program that starts now, and what the page before left. */
export function takeTab(account: string): Tab {
  const random = crypto.getRandomValues(new Uint8Array(16));
  const tab = Array.from(random, (b) => b.toString(16).padStart(2, "0")).join("");
  const resume = read(account);
  if (resume === null) return { tab };
  clearTab(account);
  return { tab, resume };
}

/** Leaves the name for the next page. */
export function leaveTab(account: string, tab: string): void {
  storage((s) => s.setItem(place(account), tab));
}

/** Takes back what was left: the page is there after all. */
export function clearTab(account: string): void {
  storage((s) => s.removeItem(place(account)));
}

function read(account: string): string | null {
  return storage((s) => s.getItem(place(account))) ?? null;
}

/** Browsers may refuse sessionStorage, and elsewhere there is none: then the next page begins a new session. */
function storage<T>(use: (s: Storage) => T): T | undefined {
  try {
    return use(sessionStorage);
  } catch {
    return undefined;
  }
}
