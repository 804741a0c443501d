// The server's side of SCRAM (RFC 5802, RFC 7677), implemented with node:crypto only.

import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";

const hashes = { "SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512" };
const salt = randomBytes(16);
const known = new Map();

/** Returns the keys that a server derives from a password, cached for each mechanism. */
function keysOf(mechanism, password, iterations) {
  const name = `${mechanism} ${iterations} ${password}`;
  if (!known.has(name)) {
    const hash = hashes[mechanism];
    const length = createHash(hash).digest().length;
    const salted = pbkdf2Sync(password, salt, iterations, length, hash);
    const hmac = (key, text) => createHmac(hash, key).update(text).digest();
    const stored = createHash(hash).update(hmac(salted, "Client Key")).digest();
    known.set(name, { hmac, hash, stored, server: hmac(salted, "Server Key") });
  }
  return known.get(name);
}

/** One authentication. `first` is the client's first message. */
export class Scram {
  constructor(mechanism, first, { iterations = 4096 } = {}) {
    this.mechanism = mechanism;
    this.iterations = iterations;
    this.bare = /^[npy][^,]*,[^,]*,(.*)$/s.exec(first)?.[1] ?? "";
    this.user = /(?:^|,)n=([^,]*)/.exec(this.bare)?.[1] ?? "";
    this.nonce = /(?:^|,)r=([^,]*)/.exec(this.bare)?.[1] ?? "";
    this.serverNonce = this.nonce + randomBytes(12).toString("hex");
    this.salt = salt.toString("base64");
  }

  /** The server's first message. */
  get challenge() {
    return `r=${this.serverNonce},s=${this.salt},i=${this.iterations}`;
  }

  /** The server's final message, or undefined if the client's proof is wrong. */
  finish(final, password) {
    const { hmac, hash, stored, server } = keysOf(this.mechanism, password, this.iterations);
    const without = final.replace(/,p=[^,]*$/, "");
    const proof = Buffer.from(/,p=([^,]*)$/.exec(final)?.[1] ?? "", "base64");
    const message = `${this.bare},${this.challenge},${without}`;
    const signature = hmac(stored, message);
    if (proof.length !== signature.length || !without.endsWith(`,r=${this.serverNonce}`)) return undefined;
    const key = proof.map((byte, i) => byte ^ signature[i]);
    if (!timingSafeEqual(createHash(hash).update(key).digest(), stored)) return undefined;
    return `v=${hmac(server, message).toString("base64")}`;
  }
}
