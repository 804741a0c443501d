/**
 * The name under which the program stores its session, so that the next page in this tab can resume it. Each program has a
 * unique name. The page writes it to sessionStorage only when the page ends.
 *
 * The browser copies sessionStorage when the user duplicates a tab, so a name must not be there while a program uses it. Two
 * tabs can still find the same name if a tab was duplicated between two pages: then the program decides which of them gets
 * the session, and each stores its own session under a new name. For the same reason a page that goes into the back/forward
 * cache writes no name: its own program keeps the session.
 */
export interface Tab {
  readonly tab: string;
  /** The name that the previous page wrote. */
  readonly resume?: string;
}

const place = (account: string): string => `xmpp-pam:tab:${account}`;

/** Returns a name for a program that starts now, and the name that the previous page wrote, which it removes. */
export function takeTab(account: string): Tab {
  const random = crypto.getRandomValues(new Uint8Array(16));
  const tab = Array.from(random, (b) => b.toString(16).padStart(2, "0")).join("");
  const resume = read(account);
  if (resume === null) return { tab };
  clearTab(account);
  return { tab, resume };
}

/** Writes the name for the next page. */
export function leaveTab(account: string, tab: string): void {
  storage((s) => s.setItem(place(account), tab));
}

/** Removes the name, because the page is still in use. */
export function clearTab(account: string): void {
  storage((s) => s.removeItem(place(account)));
}

function read(account: string): string | null {
  return storage((s) => s.getItem(place(account))) ?? null;
}

/** Uses sessionStorage. If the browser denies it, or there is none, the next page starts a new session. */
function storage<T>(use: (s: Storage) => T): T | undefined {
  try {
    return use(sessionStorage);
  } catch {
    return undefined;
  }
}
