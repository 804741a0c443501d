// Blocks this worker permanently at a chosen point with a synchronous request that the lab never answers. The package is
// not changed: this script wraps the browser's functions to detect the points.
//
// A plan {id, point, nth, of} arrives on the channel "block", for the worker whose URL contains that id, which answers
// with {armed: id}. The points in messages are
//
//	request      a request for or about the list has been sent
//	notify       a notify has arrived, and the program has handled it
//	result       the answer to such a request has arrived, and the program has handled it
//	query        a query of an archive has been sent
//	found        a result of an archive has arrived, and the program has handled it
//	end          the end of a page of results has arrived, and the program has handled it
//	items        a request for the items of a node has been sent
//	markers      a request for seen markers has been sent
//	marker       a seen marker has been published
//
// and those in the database, where `of` is "list" or "inbox", default "list",
//
//	unwritten    a record is about to be written
//	write        a record has been written, in a transaction that is still open
//	complete     a transaction that wrote records is complete, and the program has not been notified
//	posted       after that, the program has notified the page of the change, but not acknowledged it to the
//	             server

const id = new URL(location).searchParams.get("id");
const changes = { list: '"event":"changed"', inbox: '"event":"events"' }; // how the program notifies the page
let plan; // {id, point, nth: how often it may still be reached, of}
let stored = false; // a transaction that wrote such records has completed since the plan arrived
const orders = new BroadcastChannel("block");
orders.onmessage = ({ data }) => {
  if (data.plan?.id !== id) return;
  plan = { of: "list", ...data.plan };
  stored = false;
  orders.postMessage({ armed: id });
};

/** Counts that a point is reached; returns true if the worker must block here. */
const reached = (point) => plan?.point === point && --plan.nth === 0;

function block() {
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
const sent = {
  query: /<query xmlns='urn:xmpp:mam:2'/,
  items: /<items\b[^>]*\bnode='(?!urn:xmpp-pam:seen:)/,
  markers: /<items\b[^>]*\bnode='urn:xmpp-pam:seen:/,
  marker: /<publish\b[^>]*\bnode='urn:xmpp-pam:seen:/,
};
const arrived = { notify: /^<message\b.*<notify\b/s, found: /^<message\b.*<result\b[^>]*urn:xmpp:mam:2/s, end: /^<iq\b.*<fin\b/s };
let forwarded = false; // the message at which to block has been forwarded
let handing = false; // a message is being forwarded

const { send } = WebSocket.prototype;
WebSocket.prototype.send = function (message) {
  send.call(this, message);
  const isRequest = /<(subscriptions|pam)\b/.test(message);
  if (isRequest) requests.add(/\bid=['"]([^'"]+)/.exec(message)[1]);
  if ((isRequest || sent[plan?.point]?.test(message)) && reached(isRequest ? "request" : plan.point)) block();
};

wrapHandler(WebSocket.prototype, "onmessage", (handler, socket) => (event) => {
  if (forwarded) return;
  const text = event.data;
  const id = /^<iq\b[^>]*\bid=['"]([^'"]+)/.exec(text)?.[1];
  forwarded = (arrived[plan?.point]?.test(text) && reached(plan.point)) || (requests.has(id) && reached("result"));
  handing = true;
  handler.call(socket, event);
  handing = false;
});

const { setTimeout } = globalThis;
globalThis.setTimeout = (handler, ...rest) => {
  if (!handing) return setTimeout(handler, ...rest);
  return setTimeout((...args) => {
    handler(...args);
    if (forwarded) block();
  }, ...rest);
};

wrapHandler(MessagePort.prototype, "onmessage", (handler, port) => (event) => {
  handler.call(port, event);
  if (forwarded) block();
});

// The database.

const writers = new WeakSet(); // transactions that wrote such records
for (const method of ["put", "delete"]) {
  const original = IDBObjectStore.prototype[method];
  IDBObjectStore.prototype[method] = function (...args) {
    const counts = plan && String(args[method === "put" ? 1 : 0]).startsWith(`${plan.of}/`);
    if (counts && reached("unwritten")) block();
    const request = original.apply(this, args);
    if (counts) {
      writers.add(this.transaction);
      if (reached("write")) block();
    }
    return request;
  };
}

wrapHandler(IDBTransaction.prototype, "oncomplete", (handler, transaction) => (event) => {
  if (writers.has(transaction)) {
    stored = true;
    if (reached("complete")) block();
  }
  handler.call(transaction, event);
});

// Messages from the program to the page.

const { postMessage } = MessagePort.prototype;
MessagePort.prototype.postMessage = function (message, ...rest) {
  postMessage.call(this, message, ...rest);
  if (stored && message?.text?.includes(changes[plan.of]) && reached("posted")) block();
};
