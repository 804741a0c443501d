// The JavaScript half of package socket.
//
// A call of Go costs about 130 µs, so this script collects the messages of one turn
// of the event loop and passes them to Go together.

const codeRefused = 4008;
const closeDelay = 100; // ms, how long after error a close event may come
const batchSize = 1 << 20; // a batch of this many UTF-16 units is passed on immediately
const keptBuffer = 1 << 18; // bytes for encoding that are kept between batches

// How long, in ms, the script collects messages that arrive less than that time
// after a batch, until it has enough. Under a flood of messages it calls Go a few hundred times a second
// at most; a single message is passed on immediately. Not used on a page, because
// browsers slow down the timers of a hidden page.
const batchDelay = typeof document === "undefined" ? 4 : 0;
const enough = 32; // messages, which do not wait for more, but for those that have arrived

const encoder = new TextEncoder();

/**
 * Opens a WebSocket. It calls no callback before openSocket has returned, and none
 * after onClose or after close() on the returned object.
 *
 * @param {string} url ws: or wss:
 * @param {string} protocol the subprotocol to ask for
 * @param {number} maxMessage largest message accepted, in UTF-16 units
 * @param {number} maxQueued the largest number of bytes that may wait to be sent
 * @param {(protocol: string) => void} onOpen gets the subprotocol agreed on
 * @param {(batch: Uint8Array, single: boolean) => void} onBatch gets one message if
 *   single, else several that are joined by U+0000 and do not contain it, as UTF-8. It
 *   must not keep the array.
 * @param {(code: number, reason: string) => void} onClose is called after onBatch
 *   has got every message that arrived before. Code 1003 also means a binary
 *   message and 1009 a message that was too large: onBatch does not get these.
 *   Code 0 means that the browser did not try to connect.
 * @param {AbortSignal} [ended] closes the socket, without calling onClose, when the
 *   program has ended
 * @returns {{error: string} | {
 *   send(message: string): "" | "closed" | "full",
 *   close(code: number, reason: string): void}} error if the browser refuses
 */
export function openSocket(url, protocol, maxMessage, maxQueued, onOpen, onBatch, onClose, ended) {
  let socket;
  try {
    socket = new WebSocket(url, protocol);
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
  const { port1, port2 } = new MessageChannel();
  let queue = [];
  let size = 0;
  const buffer = new Uint8Array(keptBuffer);
  let flushed = -Infinity; // when Go had processed the last batch

  // Go throws if it has ended: then close the socket.
  const enter = (callback, ...args) => {
    try {
      callback(...args);
    } catch (error) {
      close(1000, "");
      throw error;
    }
  };
  const flush = () => {
    if (queue.length === 0) return;
    const batch = queue;
    queue = [];
    size = 0;
    enter(onBatch, encode(batch.join("\0")), batch.length === 1);
    flushed = performance.now();
  };
  // encodeInto() does not allocate an array for each batch, as encode() does.
  const encode = (text) => {
    const most = 3 * text.length;
    const bytes = most > buffer.length ? new Uint8Array(most) : buffer;
    return bytes.subarray(0, encoder.encodeInto(text, bytes).written);
  };
  const detach = () => {
    socket.onopen = socket.onmessage = socket.onerror = socket.onclose = port1.onmessage = null;
    port1.close();
    ended?.removeEventListener("abort", leave);
    queue = [];
  };
  const close = (code, reason) => {
    detach();
    socket.close(code, reason);
  };
  // Of the codes below 3000 browsers send only 1000.
  const leave = () => close(1000, "");
  ended?.addEventListener("abort", leave);
  const refuse = (code, reason) => {
    flush();
    if (socket.onclose === null) return; // closed by the callback
    close(codeRefused, reason);
    onClose(code, reason);
  };

  port1.onmessage = flush;
  socket.onopen = () => enter(onOpen, socket.protocol);
  socket.onmessage = ({ data }) => {
    if (typeof data !== "string") return refuse(1003, "a binary message came; XMPP is text");
    if (data.length > maxMessage) return refuse(1009, "a message came that is too large");
    const single = data.includes("\0"); // not valid XML, which Go reports
    if (single) flush();
    if (socket.onmessage === null) return; // closed by the callback
    if (queue.length === 0) {
      if (performance.now() - flushed < batchDelay) setTimeout(flush, batchDelay);
      else port2.postMessage(null);
    }
    if (queue.push(data) === enough) port2.postMessage(null);
    size += data.length;
    if (single || size >= batchSize) flush();
  };
  const onEnd = ({ code, reason }) => {
    flush();
    if (socket.onclose === null) return; // closed already, or by the callback
    detach();
    onClose(code, reason);
  };
  socket.onclose = onEnd;
  // Chromium sends no close event for a connection that the page's policy forbids:
  // such a socket is closed from the start. The other case is a precaution.
  if (socket.readyState === socket.CLOSED) queueMicrotask(() => onEnd({ code: 0, reason: "" }));
  socket.onerror = () => setTimeout(() => {
    if (socket.readyState === socket.CLOSED) onEnd({ code: 1006, reason: "" });
  }, closeDelay);

  return {
    send(message) {
      if (socket.readyState !== WebSocket.OPEN) return "closed";
      if (socket.bufferedAmount > maxQueued) return "full";
      socket.send(message);
      return "";
    },
    close,
  };
}
