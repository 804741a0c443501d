// The network between a page and its server: a WebSocket proxy that counts messages, and in which the network can fail.

import { once } from "node:events";
import { WebSocket, WebSocketServer } from "ws";

/**
 * Starts a proxy to the WebSocket endpoint `target`. `onMessage(message)` is called before a message {link, dir, n, text}
 * is passed on, where dir is "in" to the page or "out" of it, and n counts the messages of that direction over all links,
 * from 1. It may return a promise, which holds back what follows in that direction, and then
 *
 *	"lose"   the connection is reset, and the message is lost
 *	"last"   the message is passed on, and the connection is reset
 *	"mute"   from this message on nothing gets through on this connection, either way, and neither end is told
 */
export async function startProxy(target, onMessage = () => undefined) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols: (offered) => offered.values().next().value });
  await once(server, "listening");
  const links = new Set(); // those that are open, as far as the page or the server knows
  const proxy = {
    url: `ws://localhost:${server.address().port}/`,
    links,
    counts: { in: 0, out: 0 },
    onMessage,
    /** How many links there have been. */
    opened: 0,
    /** Links that were opened beside one that was in order, and still is: neither cut, nor muted, nor closed by the page. */
    doubles: 0,
    /** While this is true new connections are taken and then ignored. */
    deaf: false,
    /** While this is true new connections are reset. */
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
    // The end of a link that the page has closed may be seen a little later than the next one's beginning.
    const before = [...links];
    setTimeout(() => before.some((link) => !link.over && !link.muted) && proxy.doubles++, 300);
    links.add(new Link(proxy, page, target, request.headers["sec-websocket-protocol"]));
  });
  return proxy;
}

/** One connection of a page, and the one to the server that belongs to it. */
class Link {
  over = false; // one end has closed it
  muted = false;

  constructor(proxy, page, target, protocol) {
    this.proxy = proxy;
    this.page = page;
    this.server = new WebSocket(target, protocol, { perMessageDeflate: false });
    if (proxy.deaf) this.mute();
    this.#carry("out", page, this.server, new Promise((resolve) => this.server.once("open", resolve)));
    this.#carry("in", this.server, page, Promise.resolve());
  }

  /** Passes on what `from` sends, one after the other. */
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
      this.over = true;
      if (from === this.page) this.proxy.links.delete(this);
      if (this.muted) return void to.terminate();
      turn.then(() => this.end(to, code, reason));
    });
    from.on("error", () => undefined); // it is closed then
  }

  /** Closes one end with a code, as the other was. */
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

  /** Cuts it, as a lost network or a router does. */
  reset() { this.close(1006); }

  /** Says something to the page in the server's name. */
  say(text) { this.page.send(text); }

  /** Lets nothing through any more, not even a goodbye: a dead peer. */
  mute() {
    this.muted = true;
    this.page.pause();
  }

  /** Looks again what the page has done to a link that was muted; if it has closed its end, the link is gone soon. */
  unearth() { this.page.resume(); }
}

function reset(socket) {
  if (socket._socket) socket._socket.resetAndDestroy();
  else socket.terminate();
}
