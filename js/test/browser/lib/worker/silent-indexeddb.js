// The package's worker where IndexedDB stops to answer, as Safari's does now and then: after a message on the channel
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
