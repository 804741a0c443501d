// Blocks this worker permanently at a chosen point with a synchronous request that the lab never answers. The package is
// not changed: this script wraps the browser's functions to detect the points.
//
// A plan {id, point, nth} arrives on the channel "stand-still", for the worker whose URL contains that id, which answers
// with {armed: id}. The points are
//
//	request      a request for or about the list has been sent
//	notify       a notify has arrived, and the program has handled it
//	result       the answer to such a request has arrived, and the program has handled it
//	write        a record of the list has been written, in a transaction that is still open
//	complete     a transaction that wrote the list is complete, and the program has not been notified
//	told         after that, the program has notified the page of the change, but not acknowledged it to the
//	             server

const id = new URL(location).searchParams.get("id");
let plan; // {id, point, nth: how often it may still be reached}
let stored = false; // a transaction that wrote the list has completed since the plan arrived
const orders = new BroadcastChannel("stand-still");
orders.onmessage = ({ data }) => {
  if (data.plan?.id !== id) return;
  plan = data.plan;
  stored = false;
  orders.postMessage({ armed: id });
};

/** Counts that a point is reached; returns true if the worker must block here. */
const reached = (point) => plan?.point === point && --plan.nth === 0;

function standStill() {
  const request = new XMLHttpRequest();
  request.open("POST", `/hang?id=${id}&point=${plan.point}`, false);
  request.send();
}

/** Replaces every handler that is set as the property `name` with wrap(handler, target). */
function wrapHandler(prototype, name, wrap) {
  const { get, set } = Object.getOwnPropertyDescriptor(prototype, name);
  Object.defineProperty(prototype, name, {
    get,
    set(handler) {
      set.call(this, typeof handler === "function" ? wrap(handler, this) : handler);
    },
  });
}

// Messages. Those after the message at which to block are not forwarded, so that the program cannot have handled them
// too; it handles messages when the port or timer fires with which socket.js collects them.

const requests = new Set(); // ids of requests for or about the list
let heard = false; // the message at which to block has been forwarded
let handing = false; // a message is being forwarded

const { send } = WebSocket.prototype;
WebSocket.prototype.send = function (message) {
  send.call(this, message);
  if (!/<(subscriptions|pam)\b/.test(message)) return;
  requests.add(/\bid=['"]([^'"]+)/.exec(message)[1]);
  if (reached("request")) standStill();
};

wrapHandler(WebSocket.prototype, "onmessage", (handler, socket) => (event) => {
  if (heard) return;
  const text = event.data;
  const id = /^<iq\b[^>]*\bid=['"]([^'"]+)/.exec(text)?.[1];
  heard = (/^<message\b/.test(text) && /<notify\b/.test(text) && reached("notify")) || (requests.has(id) && reached("result"));
  handing = true;
  handler.call(socket, event);
  handing = false;
});

const { setTimeout } = globalThis;
globalThis.setTimeout = (handler, ...rest) => {
  if (!handing) return setTimeout(handler, ...rest);
  return setTimeout((...args) => {
    handler(...args);
    if (heard) standStill();
  }, ...rest);
};

wrapHandler(MessagePort.prototype, "onmessage", (handler, port) => (event) => {
  handler.call(port, event);
  if (heard) standStill();
});

// The database.

const writers = new WeakSet(); // transactions that wrote the list
for (const method of ["put", "delete"]) {
  const original = IDBObjectStore.prototype[method];
  IDBObjectStore.prototype[method] = function (...args) {
    const request = original.apply(this, args);
    const key = String(args[method === "put" ? 1 : 0]);
    if (key.startsWith("list/")) {
      writers.add(this.transaction);
      if (reached("write")) standStill();
    }
    return request;
  };
}

wrapHandler(IDBTransaction.prototype, "oncomplete", (handler, transaction) => (event) => {
  if (writers.has(transaction)) {
    stored = true;
    if (reached("complete")) standStill();
  }
  handler.call(transaction, event);
});

// Messages from the program to the page.

const { postMessage } = MessagePort.prototype;
MessagePort.prototype.postMessage = function (message, ...rest) {
  postMessage.call(this, message, ...rest);
  if (stored && message?.text?.includes('"event":"changed"') && reached("told")) standStill();
};
