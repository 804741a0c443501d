// The server. The path of the socket's address selects the account, so that the account is known before the first message.

import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { Connection } from "./connection.mjs";
import { Account } from "./account.mjs";

/** A part of every address; no error and no message of the client may contain it. */
export const token = "token-5vQz81Lw";

export async function startHostile() {
  const accounts = new Map();
  const sockets = new Set();
  const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 64 << 20, handleProtocols: () => "xmpp" });
  const http = createServer((req, res) => res.writeHead(404).end());
  http.on("connection", (socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  });
  http.on("upgrade", (req, socket, head) => {
    const account = accounts.get(new URL(req.url, "http://localhost").pathname.slice(1));
    if (!account) return void socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
    const accept = () => wss.handleUpgrade(req, socket, head, (ws) => new Connection(account, ws, socket));
    const rule = account.ruleAt("upgrade");
    if (rule) rule({ req, socket, account }, undefined, accept);
    else accept();
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address();
  return {
    port,
    /** Creates an account. */
    account(name, password) {
      const account = new Account(name, password);
      account.url = `ws://127.0.0.1:${port}/${name}?token=${token}`;
      accounts.set(name, account);
      return account;
    },
    async stop() {
      wss.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
