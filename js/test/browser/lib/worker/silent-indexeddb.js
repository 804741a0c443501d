// The package's worker where IndexedDB stops answering, as Safari's sometimes does: after a message on the channel
// "silent-indexeddb" no transaction has an event.
import "/pkg/worker.js";

new BroadcastChannel("silent-indexeddb").onmessage = () => {
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (...args) {
    const tx = transaction.apply(this, args);
    for (const name of ["oncomplete", "onabort", "onerror"]) Object.defineProperty(tx, name, { set() {} });
    return tx;
  };
};
