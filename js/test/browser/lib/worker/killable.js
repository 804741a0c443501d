// The package's worker, which can block at a chosen point of a sync, to be killed there.
import "./block.js";
import "/pkg/worker.js";
