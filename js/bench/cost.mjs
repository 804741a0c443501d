// What a stanza of each kind costs, beside ltx (of xmpp.js), which reads the same text on the same processor.
//
//   node js/bench/cost.mjs [--size 250000] [--turns 7] [--only "references;long names"] [--inspector]
//
// "wasm" is the built package in Node: from the socket to the event `message` of the page. "native" is what the same Go
// code takes to parse and check it. A row is marked if it costs more than 3 times what ltx takes, or twice the size costs
// more than 2.3 times as much. Times are the least of several turns of processor time: a busy machine matters little.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parse } from "ltx";
import { openBench } from "./loopback.mjs";
import { stanzas } from "./stanzas.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { values } = parseArgs({ options: { size: { type: "string", default: "250000" }, turns: { type: "string", default: "7" }, only: { type: "string" }, inspector: { type: "boolean", default: false } } });
const size = Number(values.size);
const turns = Number(values.turns);
const names = Object.keys(stanzas).filter((name) => !values.only || values.only.split(";").includes(name));
const texts = names.flatMap((name) => [stanzas[name](size), stanzas[name](2 * size)]);

/** Processor milliseconds of the fastest turn. */
async function least(run) {
  let best = Infinity;
  for (let i = 0; i < turns; i++) {
    const before = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

const native = runNative();
const bench = await openBench({ inspector: values.inspector });
await bench.deliver(texts[0]);
const idle = await least(() => bench.deliver("<message xmlns='jabber:client' from='a@b'/>"));
const rows = [];
for (let i = 0; i < texts.length; i++) {
  const wasm = Math.max(0.1, await least(() => bench.deliver(texts[i])) - idle);
  const ltx = await least(() => void parse(texts[i]));
  rows.push({ wasm, ltx, native: native[i] });
}
await bench.close();
print();

/** The same texts through a native program. */
function runNative() {
  const folder = mkdtempSync(join(tmpdir(), "xmpp-pam-cost-"));
  try {
    execFileSync("go", ["build", "-o", join(folder, "cost"), "./js/bench/cost"], { cwd: root, stdio: "inherit" });
    const { stdout, status, error } = spawnSync(join(folder, "cost"), [String(turns)], { input: texts.join("\0"), maxBuffer: 1 << 20, stdio: ["pipe", "pipe", "inherit"] });
    if (status !== 0) throw error ?? new Error(`exit code ${status}`);
    return String(stdout).trim().split("\n").map(Number);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function print() {
  const column = (n, width = 9) => (typeof n === "number" ? n.toFixed(2) : n).padStart(width);
  console.log(`Stanzas of ${size} and ${2 * size} bytes; ms of processor time, least of ${turns} turns${values.inspector ? "; with the inspector" : ""}\n`);
  console.log(`${"".padEnd(46)}${["ltx", "wasm", "to ltx", "doubled", "native", "to ltx", "doubled"].map((s) => column(s)).join("")}`);
  let worst = 0;
  for (const [i, name] of names.entries()) {
    const [one, two] = [rows[2 * i], rows[2 * i + 1]];
    const ratios = [one.wasm / one.ltx, two.wasm / one.wasm, one.native / one.ltx, two.native / one.native];
    const dear = Math.max(ratios[0], ratios[2]) > 3 || Math.max(ratios[1], ratios[3]) > 2.3;
    worst += dear ? 1 : 0;
    console.log(`${name.padEnd(46)}${[one.ltx, one.wasm, ratios[0], ratios[1], one.native, ratios[2], ratios[3]].map((n) => column(n)).join("")}${dear ? "  <--" : ""}`);
  }
  console.log(`\n${worst} of ${names.length} are over 3 times ltx, or over 2.3 times for twice the size.`);
}
