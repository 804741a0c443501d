// The package's worker, which can be made to stand still at a chosen point of a sync, to be killed there.
import "./stand-still.js";
import "/pkg/worker.js";
