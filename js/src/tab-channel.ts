/** The channel on which the tabs of one account tell each other that the stored list has changed. */
export interface TabChannel {
  /** Says that this tab has changed the stored list. */
  announce(): void;
  close(): void;
}

/**
 * Begins to listen. `account` is spelled as the program spells it: however the page writes it, it is one database and one
 * channel. Every page of this origin can post here, so the content of a message is ignored and `onAnnounced` must be
 * harmless: it makes the program read the store.
 */
export function openTabChannel(account: string, onAnnounced: () => void): TabChannel {
  if (typeof BroadcastChannel !== "function") return { announce: () => undefined, close: () => undefined };
  const channel: BroadcastChannel & { unref?(): void } = new BroadcastChannel(`xmpp-pam:list:${account}`);
  channel.unref?.(); // outside of browsers it would keep the process running
  channel.onmessage = onAnnounced;
  return {
    announce: () => channel.postMessage(""),
    close: () => channel.close(),
  };
}
