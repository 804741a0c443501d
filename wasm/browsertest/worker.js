// Runs the test binary and sends its output and its exit code to the runner.
import "./wasm_exec.js";
import { openSocket } from "./socket.js";
import { openDatabase, deleteDatabase } from "./idb.js";
import { fetchDocument } from "./fetch.js";
import { deriveKey } from "./kdf.js";
import * as faults from "./faults.js";

globalThis.testHost = { openSocket, openDatabase, deleteDatabase, fetchDocument, deriveKey, ...faults };
testHost.noCrypto = { deriveKey: () => undefined };
testHost.badCrypto = { deriveKey: (hash, ...rest) => deriveKey("SHA-0", ...rest) };

let sent = Promise.resolve(); // keeps the order
const post = (path, body) => (sent = sent.then(() => fetch(path, { method: "POST", body })));

const decoder = new TextDecoder();
globalThis.fs.writeSync = (fd, bytes) => {
  post("/output", decoder.decode(bytes, { stream: true }));
  return bytes.length;
};
for (const level of ["log", "warn", "error"]) {
  console[level] = (...args) => {
    post("/output", args.join(" ") + "\n");
  };
}
addEventListener("error", ({ message }) => console.error("uncaught:", message));
addEventListener("unhandledrejection", ({ reason }) => console.error("unhandled:", reason));

let code = 1;
try {
  const go = new Go();
  // The number of JavaScript values that Go references; wasm_exec.js keeps them there.
  testHost.countValues = () => go._values.filter((v) => v !== null).length;
  const { args, env } = await (await fetch("/run.json")).json();
  go.argv = args;
  go.env = env;
  go.exit = (c) => (code = c);
  const { instance } = await WebAssembly.instantiateStreaming(fetch("/test.wasm"), go.importObject);
  await go.run(instance);
} catch (error) {
  console.error(error.stack ?? error);
}
post("/exit", String(code));
