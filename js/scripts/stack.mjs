// Adds the names and source lines of functions to the report of a crash, which the program writes to the console:
//
//   node js/scripts/stack.mjs [dist/pam.symbols.json] < report.txt

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { resolve } from "./symbols.mjs";

const file = process.argv[2] ?? join(dirname(dirname(fileURLToPath(import.meta.url))), "dist/pam.symbols.json");
const symbols = JSON.parse(readFileSync(file, "utf8"));
const report = readFileSync(0, "utf8");
const build = /\bbuild ([\da-f]{12})\b/.exec(report)?.[1];
if (build !== undefined && !symbols.build.startsWith(build)) {
  console.error(`stack: the report is of build ${build}, but ${file} is of build ${symbols.build.slice(0, 12)}`);
  process.exit(1);
}
process.stdout.write(resolve(symbols, report));
