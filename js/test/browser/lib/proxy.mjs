// A WebSocket proxy between a page and its server, which counts messages and simulates network failures.

import { once } from "node:events";
import { WebSocket, WebSocketServer } from "ws";

/**
 * Starts a proxy to the WebSocket endpoint `target`. `onMessage(message)` is called before a message {link, dir, n, text}
 * is forwarded, where dir is "in" to the page or "out" of it, and n counts the messages of that direction over all links,
 * from 1. It may return a promise, which delays all further messages in that direction, with one of these results:
 *
 *	"lose"   the connection is reset, and the message is lost
 *	"last"   the message is forwarded, and the connection is reset
 *	"mute"   from this message on the connection forwards nothing in either direction, without a notice to either end
 */
export async function startProxy(target, onMessage = () => undefined) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols: (offered) => offered.values().next().value });
  await once(server, "listening");
  const links = new Set(); // those that the page or the server regards as open
  const proxy = {
    url: `ws://localhost:${server.address().port}/`,
    links,
    counts: { in: 0, out: 0 },
    onMessage,
    /** Number of links so far. */
    opened: 0,
    /** Number of links that were opened while another one still worked: neither reset, nor muted, nor closed by the page. */
    doubles: 0,
    /** While this is true, new connections are accepted and then ignored. */
    unresponsive: false,
    /** While this is true, new connections are reset. */
    down: false,
    /** Resets all connections. */
    cut() {
      for (const link of [...links]) link.reset();
    },
    async stop() {
      for (const link of links) link.reset();
      server.close();
      for (const client of server.clients) client.terminate();
    },
  };
  server.on("connection", (page, request) => {
    if (proxy.down) return void page.terminate();
    proxy.opened++;
    // The close of one link may arrive slightly after the opening of the next.
    const before = [...links];
    setTimeout(() => before.some((link) => !link.over && !link.muted) && proxy.doubles++, 300);
    links.add(new Link(proxy, page, target, request.headers["sec-websocket-protocol"]));
  });
  return proxy;
}

/** One connection of a page, and the corresponding one to the server. */
class Link {
  over = false; // one end has closed it
  muted = false;

  constructor(proxy, page, target, protocol) {
    this.proxy = proxy;
    this.page = page;
    this.server = new WebSocket(target, protocol, { perMessageDeflate: false });
    if (proxy.unresponsive) this.mute();
    this.#carry("out", page, this.server, new Promise((resolve) => this.server.once("open", resolve)));
    this.#carry("in", this.server, page, Promise.resolve());
  }

  /** Forwards the messages of `from` in order. */
  #carry(dir, from, to, ready) {
    let turn = ready;
    from.on("message", (data) => {
      turn = turn.then(async () => {
        if (this.over || this.muted) return;
        const text = data.toString();
        const verdict = await this.proxy.onMessage({ link: this, dir, n: ++this.proxy.counts[dir], text });
        if (verdict === "mute") this.mute();
        if (verdict === "lose") this.reset();
        if (this.over || this.muted) return;
        if (verdict === "last") to.send(text, () => this.reset());
        else to.send(text);
      });
    });
    from.on("close", (code, reason) => {
      const first = !this.over;
      this.over = true;
      if (from === this.page) this.proxy.links.delete(this);
      if (this.muted) return void to.terminate();
      // The other end is closed once: a reset after a close would discard what it has not read yet.
      if (first) turn.then(() => this.end(to, code, reason));
    });
    from.on("error", () => undefined); // a close event follows
  }

  /** Closes one end with the code of the other. */
  end(to, code, reason = "") {
    if (code === 1005) to.close();
    else if (code === 1006) reset(to);
    else to.close(code, reason);
  }

  /** The server closes the connection: code 1006 is a reset. */
  close(code, reason) {
    this.over = true;
    this.end(this.page, code, reason);
    this.server.terminate();
  }

  /** Resets the connection, as a lost network or a router does. */
  reset() { this.close(1006); }

  /** Sends a message to the page in place of the server. */
  say(text) { this.page.send(text); }

  /** Forwards nothing more, not even a close: simulates a lost peer. */
  mute() {
    this.muted = true;
    this.page.pause();
  }

  /** Reads again from the page on a muted link. If the page has closed its end, the link is removed soon. */
  unearth() { this.page.resume(); }
}

function reset(socket) {
  if (socket._socket) socket._socket.resetAndDestroy();
  else socket.terminate();
}
