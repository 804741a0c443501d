// The package's worker, which can block at a chosen point of a sync, to be killed there.
import "./stand-still.js";
import "/pkg/worker.js";
