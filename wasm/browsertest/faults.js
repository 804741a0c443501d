// Faults for tests. Where Go waits, the last argument is called with an error
// message, empty if all went well.

/** Calls a method of the DevTools protocol on this page. */
export function devtools(method, params, done) {
  fetch(`/devtools/${method}`, { method: "POST", body: params })
    .then(async (answer) => done(answer.ok ? "" : await answer.text()), (error) => done(String(error)));
}

/** Replaces a global, and returns a function that puts it back. */
export function replaceGlobal(name, value) {
  const own = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  return () => {
    if (own) Object.defineProperty(globalThis, name, own);
    else delete globalThis[name];
  };
}

/** Opens a database and lets nobody have it until the returned function is called. */
export function holdDatabase(name, version, done) {
  const request = indexedDB.open(name, version);
  request.onsuccess = () => done("");
  request.onerror = () => done(request.error.message);
  return () => request.result.close();
}

/** Lets every database be opened with version, until the returned function is called. */
export function pretendVersion(version) {
  const real = indexedDB;
  return replaceGlobal("indexedDB", { open: (name) => real.open(name, version) });
}

/** Gets what the runner says at path. */
export function fetchText(path, done) {
  fetch(path).then(async (answer) => done("", await answer.text()), (error) => done(String(error), ""));
}
