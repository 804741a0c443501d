// Servers that do not work as a client expects.

import { createHash } from "node:crypto";
import { createServer } from "node:http";

async function listen(server) {
  const sockets = new Set();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `ws://localhost:${server.address().port}/`,
    stop: () => new Promise((resolve) => {
      server.close(resolve);
      for (const socket of sockets) socket.destroy();
    }),
  };
}

/** Starts a web server without WebSocket. */
export const startWebServer = () => listen(createServer((req, res) => res.end("hello")));

/** Returns the address of a port without a server. */
export async function closedPort() {
  const { url, stop } = await startWebServer();
  await stop();
  return url;
}

/**
 * Starts a WebSocket server (RFC 6455) that answers every text message with reply(text), or not at all if that is undefined.
 * It supports only what these tests need: unfragmented text frames of less than 64 KiB.
 */
export function startWebSocket(reply) {
  const server = createServer((req, res) => res.writeHead(426).end());
  server.on("upgrade", (req, socket) => {
    const accept = createHash("sha1").update(`${req.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    const protocol = req.headers["sec-websocket-protocol"];
    socket.write(["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", `Sec-WebSocket-Accept: ${accept}`, ...(protocol ? [`Sec-WebSocket-Protocol: ${protocol}`] : []), "", ""].join("\r\n"));
    let data = Buffer.alloc(0);
    socket.on("data", (part) => {
      data = Buffer.concat([data, part]);
      for (;;) {
        const message = takeFrame();
        if (!message) return;
        if (message.opcode === 8) return socket.end(frame(8, message.payload));
        const answer = message.opcode === 1 ? reply(message.payload.toString()) : undefined;
        if (answer !== undefined) socket.write(frame(1, Buffer.from(answer)));
      }
    });

    function takeFrame() {
      if (data.length < 2) return undefined;
      const short = data[1] & 0x7f;
      const head = short === 126 ? 4 : 2;
      if (data.length < head) return undefined;
      const length = short === 126 ? data.readUInt16BE(2) : short;
      if (data.length < head + 4 + length) return undefined;
      const mask = data.subarray(head, head + 4);
      const payload = Buffer.from(data.subarray(head + 4, head + 4 + length)).map((byte, i) => byte ^ mask[i % 4]);
      const opcode = data[0] & 0x0f;
      data = data.subarray(head + 4 + length);
      return { opcode, payload };
    }
  });
  return listen(server);
}

function frame(opcode, payload) {
  const head = payload.length < 126 ? Buffer.from([0x80 | opcode, payload.length]) : Buffer.from([0x80 | opcode, 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, payload]);
}
