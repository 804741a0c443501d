// The package's worker in a browser that has no IndexedDB.
import "./hide-indexeddb.js";
import "/pkg/worker.js";
