// Makes this worker stand still at a chosen point, for ever: a synchronous request that the lab never answers. Nothing
// of the package is changed; the points are found by wrapping what the browser gives it.
//
// A plan {id, point, nth} comes by the channel "stand-still", and is for the worker whose URL bears that id; it is
// answered with {armed: id}. Points are
//
//	request      a request for or about the list has been sent
//	notify       a notify has come, and the program has dealt with it
//	result       the answer to such a request has come, and the program has dealt with it
//	write        a record of the list has been written, in a transaction that is still open
//	complete     a transaction that wrote the list is over, and the program has not been told
//	told         after that the program has told the page of the change, and nobody else: the server has no
//	             acknowledgement yet

const id = new URL(location).searchParams.get("id");
let plan; // {id, point, nth: how often it may still be passed}
let stored = false; // a transaction that wrote the list is over, since the plan came
const orders = new BroadcastChannel("stand-still");
orders.onmessage = ({ data }) => {
  if (data.plan?.id !== id) return;
  plan = data.plan;
  stored = false;
  orders.postMessage({ armed: id });
};

/** Counts that a point is reached; true if this is where to stand still. */
const reached = (point) => plan?.point === point && --plan.nth === 0;

function standStill() {
  const request = new XMLHttpRequest();
  request.open("POST", `/hang?id=${id}&point=${plan.point}`, false);
  request.send();
}

/** Puts wrap(handler, target) in the place of every handler that is set as the property `name`. */
function wrapHandler(prototype, name, wrap) {
  const { get, set } = Object.getOwnPropertyDescriptor(prototype, name);
  Object.defineProperty(prototype, name, {
    get,
    set(handler) {
      set.call(this, typeof handler === "function" ? wrap(handler, this) : handler);
    },
  });
}

// Messages. Those that come after the one to stand still at are not handed on, so that the program cannot have dealt
// with them too; it deals with messages when the port or the timer fires with which socket.js collects them.

const requests = new Set(); // ids of requests for or about the list
let heard = false; // the message to stand still at has been handed on
let handing = false; // a message is being handed on

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

// What the program tells the page.

const { postMessage } = MessagePort.prototype;
MessagePort.prototype.postMessage = function (message, ...rest) {
  postMessage.call(this, message, ...rest);
  if (stored && message?.text?.includes('"event":"changed"') && reached("told")) standStill();
};
