// The package's worker, with a switch to destroy the program's memory.
import "./crash-switch.js";
import "/pkg/worker.js";
