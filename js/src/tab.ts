/**
 * The name under which the program keeps its session, so that the next page in this tab can go on with it. Each program
 * has a name of its own, and hands it over through sessionStorage at the last moment, when the page ends.
 *
 * sessionStorage is copied when a tab is duplicated, so a name must not stand there while somebody uses it. And two tabs
 * may find the same name all the same, if one was duplicated between two pages: then the program decides who gets the
 * session, and each keeps its own under a name that nobody has seen. For the same reason a page that may come back from
 * the back/forward cache hands nothing over: it goes on by itself.
 */
export interface Tab {
  readonly tab: string;
  /** The name that the page before left behind. */
  readonly resume?: string;
}

const place = (account: string): string => `xmpp-pam:tab:${account}`;

/** A name for a program that starts now, and what the page before left. */
export function takeTab(account: string): Tab {
  const tab = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
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
