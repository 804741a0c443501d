// The package's worker where the browser refuses IndexedDB, as in some private windows.
import "./refuse-indexeddb.js";
import "/pkg/worker.js";
