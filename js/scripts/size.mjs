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
import { readSections, readUint, section } from "./wasm.mjs";

const BUDGET = 1_000_000; // bytes, brotli -q 11

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
    execFileSync("go", ["build", ...goFlags(), "-ldflags=-w", "-o", file, "./wasm"], {
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
  const sections = readSections(wasm);
  const body = (id) => sections.find((s) => s.id === id).body;
  const names = functionNames(sections);
  const imports = readUint(body(section.import), 0).value; // all are functions
  const total = new Map();
  const code = body(section.code);
  const count = readUint(code, 0);
  for (let i = 0, at = count.next; i < count.value; i++) {
    const size = readUint(code, at);
    const name = packageOf(names.get(i + imports) ?? "?");
    total.set(name, (total.get(name) ?? 0) + size.value);
    at = size.next + size.value;
  }
  return [...total].sort((a, b) => b[1] - a[1]);
}

/** functionNames returns the names that the custom section "name" gives to the functions, by index. */
function functionNames(sections) {
  const names = new Map();
  const body = sections.find((s) => s.id === section.custom && s.body.toString("latin1", 1, 5) === "name").body;
  for (let at = 5; at < body.length;) {
    const size = readUint(body, at + 1);
    const count = readUint(body, size.next);
    for (let i = 0, from = count.next; body[at] === 1 && i < count.value; i++) {
      const index = readUint(body, from);
      const length = readUint(body, index.next);
      from = length.next + length.value;
      names.set(index.value, body.toString("utf8", length.next, from));
    }
    at = size.next + size.value;
  }
  return names;
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
