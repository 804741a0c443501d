// The JavaScript half of package fetch.

/**
 * Gets a document. It calls onDone once, never before fetchDocument has returned
 * and never after cancel.
 *
 * The request carries neither cookies nor the page's address, follows no
 * redirection, and revalidates a cached document with the server.
 *
 * @param {string} url https: or http:
 * @param {number} limit largest body accepted, in bytes
 * @param {(error: string, status: number, body: string) => void} onDone gets an
 *   error or, if that is empty, the status, and the body if the status is 200. The
 *   error is "" | "large" | "text", for a body that is too large or not UTF-8,
 *   or else the browser's message, which has few details
 * @param {AbortSignal} [ended] cancels when the program has ended
 * @returns {{cancel(): void}}
 */
export function fetchDocument(url, limit, onDone, ended) {
  const controller = new AbortController();
  const get = async () => {
    const response = await fetch(url, {
      signal: controller.signal, redirect: "error", credentials: "omit", referrerPolicy: "no-referrer", cache: "no-cache",
    });
    if (response.status !== 200) return ["", response.status, ""];
    const decoder = new TextDecoder("utf-8", { fatal: true });
    let body = "";
    let size = 0;
    for (const reader = response.body.getReader(); ;) {
      const { done, value } = await reader.read();
      if (!done && (size += value.length) > limit) return ["large", 0, ""];
      try {
        body += decoder.decode(value, { stream: !done });
      } catch {
        return ["text", 0, ""];
      }
      if (done) return ["", 200, body];
    }
  };
  let call = onDone;
  const cancel = () => {
    call = undefined;
    ended?.removeEventListener("abort", cancel);
    controller.abort();
  };
  ended?.addEventListener("abort", cancel);
  get().catch((error) => [`${error.name}: ${error.message}`, 0, ""]).then((answer) => {
    call?.(...answer);
    cancel(); // discards the unread rest of the body
  });
  return { cancel };
}
