// Measures the processor time that a stanza of each kind takes, compared with ltx (of xmpp.js) on the same text.
//
//   node js/bench/cost.mjs [--size 250000] [--turns 9] [--only "references;long names"] [--inspector]
//
// "wasm" is the built package in Node.js: from the socket to the event `message` of the page. "native" is the same Go code,
// which parses and checks the stanza. A row is marked if it takes more than 3 times as long as ltx, or if a stanza of twice
// the size takes more than 2.3 times as long. Where ltx only slices the text, a limit in milliseconds replaces the first.
//
// Times are processor times for one stanza: the fastest of several turns, for each size separately, because other programs
// only make a turn slower. A turn handles several stanzas of the size, then half as many of twice the size, so both run the
// garbage collectors equally often.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parse } from "ltx";
import { openBench } from "./loopback.mjs";
import { sliced, stanzas } from "./stanzas.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { values } = parseArgs({ options: { size: { type: "string", default: "250000" }, turns: { type: "string", default: "9" }, only: { type: "string" }, inspector: { type: "boolean", default: false } } });
const size = Number(values.size);
const turns = Number(values.turns);
const counts = [8, 4]; // stanzas of a turn: of the size, of twice the size
const most = { ratio: 3, doubled: 2.3, sliced: (10 * size) / 250_000 };
const names = Object.keys(stanzas).filter((name) => !values.only || values.only.split(";").includes(name));
const short = "<message xmlns='jabber:client' from='a@b'/>"; // its cost is subtracted: timers, and the call into the program

const native = runNative();
const bench = await openBench({ inspector: values.inspector });
const rows = [];
for (const [i, name] of names.entries()) {
  const texts = [stanzas[name](size), stanzas[name](2 * size)];
  const wasm = [];
  const ltx = [];
  for (let turn = -1; turn < turns; turn++) {
    const idle = await once(counts[0], () => bench.deliver(short));
    const pair = [await once(counts[0], () => bench.deliver(texts[0])), await once(counts[1], () => bench.deliver(texts[1]))];
    if (turn >= 0) wasm.push(pair.map((ms) => Math.max(0.1, ms - idle))); // the first is to warm up
  }
  for (let turn = -1; turn < turns; turn++) {
    const pair = [await once(counts[0], () => parse(texts[0])), await once(counts[1], () => parse(texts[1]))];
    if (turn >= 0) ltx.push(pair);
  }
  rows.push({ name, ltx, wasm, native: native[i] });
}
await bench.close();
print();

/** Processor milliseconds of one run. */
async function once(count, run) {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / count;
}

/** Does the same with the native program, which reads the texts from standard input. */
function runNative() {
  const folder = mkdtempSync(join(tmpdir(), "xmpp-pam-cost-"));
  try {
    execFileSync("go", ["build", "-o", join(folder, "stanzacost"), "./sdk/internal/stanzacost"], { cwd: root, stdio: "inherit" });
    const input = names.flatMap((name) => [stanzas[name](size), stanzas[name](2 * size)]).join("\0");
    const { stdout, status, error } = spawnSync(join(folder, "stanzacost"), [turns, ...counts].map(String), { input, maxBuffer: 1 << 20, stdio: ["pipe", "pipe", "inherit"] });
    if (status !== 0) throw error ?? new Error(`exit code ${status}`);
    return String(stdout).trim().split("\n").map((line) => JSON.parse(line));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function print() {
  const line = (name, cells, note = "") => console.log(`${name.padEnd(46)}${cells.map((n) => (typeof n === "number" ? n.toFixed(2) : n).padStart(9)).join("")}${note}`);
  console.log(`Stanzas of ${size} and ${2 * size} bytes; ms of processor time, fastest of ${turns} turns${values.inspector ? "; with the inspector" : ""}\n`);
  line("", ["ltx", "doubled", "wasm", "to ltx", "doubled", "native", "to ltx", "doubled"]);
  const over = [];
  for (const { name, ltx, wasm, native } of rows) {
    const [theirs, theirsDoubled] = summary(ltx);
    const cells = [theirs, theirsDoubled];
    const found = [];
    for (const [which, pairs] of Object.entries({ wasm, native })) {
      const [ours, doubled] = summary(pairs);
      cells.push(ours, sliced.has(name) ? "sliced" : ours / theirs, doubled);
      if (ours > (sliced.has(name) ? most.sliced : most.ratio * theirs)) found.push(which);
      if (doubled > most.doubled) found.push(`${which} doubled`);
    }
    if (found.length > 0) over.push(name);
    line(name, cells, found.length > 0 ? `  <-- ${found.join(", ")}` : "");
  }
  console.log("\nsliced: ltx cuts it out of the message without reading its characters; the program must copy, check and escape");
  console.log(`each, in at most ${most.sliced} ms.`);
  console.log(`\n${over.length} of ${rows.length} are over ${most.ratio} times ltx, over ${most.sliced} ms if sliced, or over ${most.doubled} times for twice the size${over.length > 0 ? `: ${over.join("; ")}` : ""}.`);
}

/** Returns the time for a stanza of the size, and the ratio for one of twice the size. */
function summary(pairs) {
  const one = Math.min(...pairs.map(([one]) => one));
  return [one, Math.min(...pairs.map(([, two]) => two)) / one];
}
