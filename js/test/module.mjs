// An empty WebAssembly module with the custom section that identifies the build of pam.wasm.

import { createHash } from "node:crypto";

export function emptyModule(build) {
  const name = Buffer.from("xmpp-pam");
  const section = Buffer.concat([Buffer.from([name.length]), name, Buffer.from(build, "hex")]);
  return new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, section.length, ...section]);
}

/** The program of the scripts in build/src, which scripts/test.mjs makes for the tests of single modules. */
export const tiny = emptyModule("00".repeat(32));
export const tinyInfo = {
  version: "0.0.0", go: "go0.0", build: "00".repeat(32), bytes: tiny.length,
  wasmSha256: createHash("sha256").update(tiny).digest("hex"),
};
