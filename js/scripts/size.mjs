// Prints the size of pam.wasm, as built and compressed, and the packages with the
// most code. Fails if the compressed size exceeds the budget.
//
//   node js/scripts/size.mjs [number of packages]

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { goFlags } from "./goflags.mjs";

const BUDGET = 1_150_000; // bytes, brotli -q 11

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const raw = readFileSync(join(root, "js/dist/pam.wasm"));
const brotli = readFileSync(join(root, "js/dist/pam.wasm.br")); // made by build.mjs
const number = (n) => n.toLocaleString("en").padStart(11);

console.log(`pam.wasm   raw ${number(raw.length)}`);
console.log(`          gzip ${number(gzipSync(raw, { level: 9 }).length)}`);
console.log(`        brotli ${number(brotli.length)}   budget ${number(BUDGET)}`);

console.log("\nlargest packages (bytes of code before compression):");
for (const [name, size] of packages().slice(0, Number(process.argv[2] ?? 15))) {
  console.log(`${number(size)}  ${name}`);
}
if (brotli.length > BUDGET) {
  console.error(`\nsize: ${brotli.length - BUDGET} bytes over the budget`);
  process.exit(1);
}

/** packages builds the program again with symbol names and sums the code size by package. */
function packages() {
  const dir = mkdtempSync(join(tmpdir(), "xmpp-pam-size-"));
  try {
    const file = join(dir, "named.wasm");
    execFileSync("go", ["build", ...goFlags, "-ldflags=-w", "-o", file, "./wasm"], {
      cwd: root,
      env: { ...process.env, GOOS: "js", GOARCH: "wasm" },
      stdio: "inherit",
    });
    return sum(readFileSync(file));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function sum(wasm) {
  let at = 8;
  let imports = 0;
  const sizes = [];
  const names = new Map();
  while (at < wasm.length) {
    const id = wasm[at++];
    const length = uint();
    const end = at + length;
    if (id === 2) imports = functionImports();
    if (id === 10) for (let i = uint(); i > 0; i--) { const n = uint(); sizes.push(n); at += n; }
    if (id === 0 && text() === "name") readNames(end);
    at = end;
  }
  const total = new Map();
  sizes.forEach((size, i) => {
    const name = packageOf(names.get(i + imports) ?? "?");
    total.set(name, (total.get(name) ?? 0) + size);
  });
  return [...total].sort((a, b) => b[1] - a[1]);

  function uint() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const b = wasm[at++];
      value += (b & 127) * 2 ** shift;
      if (b < 128) return value;
    }
  }
  function text() {
    const n = uint();
    at += n;
    return wasm.toString("utf8", at - n, at);
  }
  function functionImports() {
    let count = 0;
    for (let i = uint(); i > 0; i--) {
      text();
      text();
      const kind = wasm[at++];
      if (kind === 0) { count++; uint(); }
      else throw new Error(`size: an import of kind ${kind} is not expected`);
    }
    return count;
  }
  function readNames(end) {
    while (at < end) {
      const kind = wasm[at++];
      const stop = uint() + at;
      if (kind === 1) for (let i = uint(); i > 0; i--) { const index = uint(); names.set(index, text()); }
      at = stop;
    }
  }
}

/**
 * packageOf returns the package part of a symbol such as golang.org_x_text_cases.Fold; the linker writes _ for other
 * characters.
 */
function packageOf(symbol) {
  const host = /^(golang\.org|github\.com|mellium\.im)_/.exec(symbol)?.[0].length ?? 0;
  const dot = symbol.indexOf(".", host);
  return dot < 0 ? symbol : symbol.slice(0, dot);
}
