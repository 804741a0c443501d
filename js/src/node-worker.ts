import fs from "node:fs";
import path from "node:path";
import { parentPort } from "node:worker_threads";
import { messageOf, PamError, toWire } from "./errors.js";
import type { FromHost } from "./wire.js";
import { serve } from "./worker.js";

// The script of the thread that runs the program in Node.js. It gives the program files, and a WebSocket where Node.js has
// none.

parentPort!.once("message", ({ xmppPam: port }) => {
  provideWebSocket().then(() => serve(port, { fs: { ...fs }, path }), (e: unknown) => {
    port.postMessage({ failed: toWire(e as PamError) } satisfies FromHost);
  });
});

async function provideWebSocket(): Promise<void> {
  if (typeof WebSocket === "function") return;
  const { WebSocket: Base } = await import("ws").catch((e: unknown) => {
    throw new PamError("unsupported", 'This version of Node.js has no WebSocket: run "npm install ws", or use Node.js 22 '
      + `(${messageOf(e)}).`, { origin: "runtime", cause: e });
  });
  globalThis.WebSocket = class extends Base {
    constructor(url: string | URL, protocol?: string | string[]) {
      super(url, protocol);
      this.on("error", () => undefined); // an error that nothing listens to would end the thread
    }
  };
}
