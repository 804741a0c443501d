// The page of `make bench`: each way from the socket to a callback. run.mjs bundles it, because ltx needs a bundler.
//
// Every way passes a plain object {from, node, id, title} to the same callback, which checks it.

import { parse } from "ltx";

/** The title of event i. On the wire it contains a character reference: `Fish &amp; chips`. */
const title = (i) => `Fish & chips ${number(i)}`;
const number = (i) => String(i).padStart(6, "0");

/** Counts and checks the events of one flood. */
let flood = { seen: 0, want: 0, done() {} };
function callback({ from, node, id, title: text }) {
  const i = flood.seen++;
  if (from !== "pubsub.localhost" || node !== "urn:xmpp:microblog:0" || id !== `i${number(i)}` || text !== title(i)) {
    flood.fail(new Error(`event ${i} is wrong: ${from} ${node} ${id} ${text}`));
  }
  if (flood.seen === flood.want) flood.done();
}

// The other ways, on the page's own thread, where these libraries run.
const ways = {
  /** The upper bound: the text arrives and is not read. */
  raw: () => {
    flood.seen++;
    if (flood.seen === flood.want) flood.done();
  },

  /** xmpp.js: ltx parses each message to a tree. */
  ltx: (text) => {
    const message = parse(text);
    const items = message.getChild("event", NS_EVENT).getChild("items", NS_EVENT);
    const item = items.getChild("item", NS_EVENT);
    callback({ from: message.attrs.from, node: items.attrs.node, id: item.attrs.id, title: item.getChild("entry", NS_ATOM).getChildText("title", NS_ATOM) });
  },

  /** The browser's own parser. */
  dom: (text) => callback(fromDOM(new DOMParser().parseFromString(text, "text/xml").documentElement)),

  /** strophe.js: the same on each message in a wrapper, as its WebSocket code does (_streamWrap, then _dataRecv for each child). */
  strophe: (text) => {
    const wrapper = new DOMParser().parseFromString(`<wrapper>${text}</wrapper>`, "text/xml").documentElement;
    for (const message of wrapper.children) callback(fromDOM(message));
  },
};

const NS_EVENT = "http://jabber.org/protocol/pubsub#event";
const NS_ATOM = "http://www.w3.org/2005/Atom";
const child = (e, name, space) => e.getElementsByTagNameNS(space, name)[0];

function fromDOM(message) {
  const items = child(message, "items", NS_EVENT);
  const item = child(items, "item", NS_EVENT);
  return { from: message.getAttribute("from"), node: items.getAttribute("node"), id: item.getAttribute("id"), title: child(item, "title", NS_ATOM).textContent };
}

/**
 * This package: the event has `from` and the stanza as received. The benchmark's server writes it in one form only, so the
 * page finds the other fields by their position.
 */
function fromText({ from, xml }) {
  return { from, node: between(xml, "<items node='", "'"), id: between(xml, "<item id='", "'"), title: between(xml, "<title>", "</title>") };
}
function between(text, start, end) {
  const at = text.indexOf(start) + start.length;
  const part = text.slice(at, text.indexOf(end, at));
  return part.includes("&") ? part.replace(/&(lt|gt|amp|apos);/g, (_, name) => ({ lt: "<", gt: ">", amp: "&", apos: "'" })[name]) : part;
}

const service = `ws://${location.host}/xmpp-websocket`;

/** Connects by the way of that name. */
globalThis.open = async (name) => {
  if (name in ways) {
    const socket = new WebSocket(service, "xmpp");
    await new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onerror: reject }));
    const way = ways[name];
    socket.onmessage = ({ data }) => way(data);
    return;
  }
  const { createClient } = await import("/pkg/index.js");
  const client = createClient({ account: "alice@localhost", credentials: { password: "x" }, service, tabs: "independent", ...(name === "main" && { runtime: { where: "main" } }) });
  await client.connect();
  client.on("message", (e) => callback(fromText(e)));
  client.on("warning", (e) => flood.fail(e));
};

/** Requests n events, and resolves with the seconds until the last callback and the time for which the page's thread was blocked. */
globalThis.measure = async (n) => {
  await new Promise((resolve) => setTimeout(resolve, 200));
  const stall = heartbeat();
  let start;
  await new Promise((done, fail) => {
    flood = { seen: 0, want: n, done, fail };
    start = performance.now();
    fetch(`/flood?n=${n}`).catch(fail);
  });
  const seconds = (performance.now() - start) / 1000;
  return { seconds, ...(await stall()) };
};

/** Measures the longest time between two ticks of a 4 ms timer, and the tasks over 50 ms (PerformanceObserver longtask). */
function heartbeat() {
  let last = performance.now();
  let longest = 0;
  let tasks = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 4);
  const observer = new PerformanceObserver((list) => { tasks += list.getEntries().length; });
  observer.observe({ type: "longtask" });
  return async () => {
    await new Promise((resolve) => setTimeout(resolve, 20)); // the last tick
    clearInterval(timer);
    observer.disconnect();
    return { longest, tasks };
  };
}
