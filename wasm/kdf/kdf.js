// The JavaScript half of package kdf.

/**
 * Derives a key from a password with PBKDF2, outside this thread. It calls onDone
 * once, never before deriveKey has returned and never after cancel.
 *
 * @param {string} hash "SHA-1" | "SHA-256" | "SHA-512"
 * @param {string} password
 * @param {string} salt in base64
 * @param {number} iterations
 * @param {number} size of the key, in bytes
 * @param {(error: string, key: string) => void} onDone gets an error or, if that is
 *   empty, the key in base64
 * @param {AbortSignal} [ended] cancels when the program has ended
 * @returns {{cancel(): void} | undefined} undefined where the browser offers no Web
 *   Cryptography: outside secure contexts
 */
export function deriveKey(hash, password, salt, iterations, size, onDone, ended) {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) return undefined;
  const derive = async () => {
    const key = await subtle.importKey("raw", new TextEncoder().encode(password), "PBKDF2", false, ["deriveBits"]);
    const bytes = Uint8Array.from(atob(salt), (c) => c.charCodeAt(0));
    const bits = await subtle.deriveBits({ name: "PBKDF2", hash, salt: bytes, iterations }, key, size * 8);
    return btoa(String.fromCharCode(...new Uint8Array(bits)));
  };
  let call = onDone;
  const cancel = () => {
    call = undefined;
    ended?.removeEventListener("abort", cancel);
  };
  ended?.addEventListener("abort", cancel);
  derive().then((key) => ["", key], (error) => [`${error.name}: ${error.message}`, ""]).then((answer) => {
    call?.(...answer);
    cancel();
  });
  return { cancel };
}
