/** What the tabs of one account tell each other: that the stored list has changed. It is a hint, and what it leads to is that the store is read. */
export interface Hints {
  tell(): void;
  stop(): void;
}

/**
 * Begins to listen. `account` is spelled as the program spells it: however the page writes it, it is one database and one
 * channel. Anybody on this origin can send a hint, so `heard` must be harmless.
 */
export function listen(account: string, heard: () => void): Hints {
  if (typeof BroadcastChannel !== "function") return { tell: () => undefined, stop: () => undefined };
  const channel = new BroadcastChannel(`xmpp-pam:list:${account}`);
  (channel as { unref?(): void }).unref?.(); // elsewhere than in a browser it would keep the program running
  channel.onmessage = heard;
  return {
    tell: () => channel.postMessage(""),
    stop: () => channel.close(),
  };
}
