// The worker of a device: the package's own, which the page can also let fail, to show what happens then.

import "/pkg/worker.js";

addEventListener("message", ({ data }) => {
  if (data === "fail") setTimeout(() => { throw new Error("The page has let the worker fail."); });
});
