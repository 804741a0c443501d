// This module also runs in pages.

/**
 * Returns a client that does what the given one does. `changed(1)` is called when a listener is added to it or to one of its
 * stores, and `changed(-1)` when it is removed.
 */
export function counted(client, changed) {
  const adding = (add) => ({
    value(...args) {
      const stop = add(...args);
      let listening = true;
      changed(1);
      return () => {
        if (listening) changed(-1);
        listening = false;
        stop();
      };
    },
  });
  const like = (object, properties) => Object.freeze(Object.create(object, properties));
  const store = (s, more) => ({ value: like(s, { subscribe: adding(s.subscribe), ...more }) });
  return like(client, {
    on: adding(client.on), subscriptions: store(client.subscriptions), sync: store(client.sync),
    inbox: store(client.inbox, { newest: store(client.inbox.newest) }),
  });
}
