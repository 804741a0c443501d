/** The channel on which the tabs of one account notify each other that the stored list or inbox has changed. */
export interface TabChannel {
  /** Notifies the other tabs that this tab has changed what is stored. */
  announce(): void;
  close(): void;
}

/**
 * Opens the channel. `account` is the form that the program has normalised, so that all spellings of an account use one
 * database and one channel. Every page of this origin can post to the channel, so the content of a message is ignored, and
 * `onAnnounced` must be harmless: it makes the program read the store.
 */
export function openTabChannel(account: string, onAnnounced: () => void): TabChannel {
  if (typeof BroadcastChannel !== "function") return { announce: () => undefined, close: () => undefined };
  const channel: BroadcastChannel & { unref?(): void } = new BroadcastChannel(`xmpp-pam:list:${account}`);
  channel.unref?.(); // in Node.js the channel would keep the process running
  channel.onmessage = onAnnounced;
  return {
    announce: () => channel.postMessage(""),
    close: () => channel.close(),
  };
}
