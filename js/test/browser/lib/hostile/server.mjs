// The server: accounts by the path of the socket's address, so that a page's traffic is known before it has said a word.

import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { Connection } from "./connection.mjs";
import { World } from "./world.mjs";

/** In every address; it may be seen in no error and no message of the client. */
export const token = "token-5vQz81Lw";

export async function startHostile() {
  const worlds = new Map();
  const sockets = new Set();
  const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 64 << 20, handleProtocols: () => "xmpp" });
  const http = createServer((req, res) => res.writeHead(404).end());
  http.on("connection", (socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  });
  http.on("upgrade", (req, socket, head) => {
    const world = worlds.get(new URL(req.url, "http://localhost").pathname.slice(1));
    if (!world) return void socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
    const accept = () => wss.handleUpgrade(req, socket, head, (ws) => new Connection(world, ws, socket));
    const rule = world.take("upgrade");
    if (rule) rule({ req, socket, world }, undefined, accept);
    else accept();
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address();
  return {
    port,
    /** Creates an account. */
    world(name, password) {
      const world = new World(name, password);
      world.url = `ws://127.0.0.1:${port}/${name}?token=${token}`;
      worlds.set(name, world);
      return world;
    },
    async stop() {
      wss.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
