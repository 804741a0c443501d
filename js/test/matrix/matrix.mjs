// Runs the matrix: `node test/matrix/matrix.mjs [part of a row's name]`. Prints a table, and exits with 1 if a row differs.

import { makeFolder, makeProject } from "./project.mjs";
import { compare, label, rows, stated } from "./rows.mjs";
import { runRow, startShared } from "./visit.mjs";

const chosen = rows.filter(({ tool, run }) => `${tool} ${run}`.toLowerCase().includes((process.argv[2] ?? "").toLowerCase()));
if (chosen.length === 0) throw new Error(`no row is named ${process.argv[2]}`);

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1)); // which also ends development servers
const made = makeFolder();
process.once("exit", made.remove);
const shared = await startShared();
const projects = new Map();
let failed = 0;
console.log("| Tool | Version | Run | Result | Scripts with the worker | Output |\n|---|---|---|---|---|---|");
try {
  for (const row of chosen) {
    const { line, problem } = await check(row);
    console.log(line);
    if (!problem) continue;
    failed++;
    console.error(`*** ${row.tool}, ${row.run}: ${problem}`);
  }
} finally {
  await shared.stop();
}
console.log(failed === 0 ? `${chosen.length} rows are as stated` : `${failed} of ${chosen.length} rows are not as stated`);
process.exit(failed === 0 ? 0 : 1);

async function check(row) {
  const line = (result, { workers = "", bytes } = {}) => `${label(row)} ${result} | ${workers} | ${bytes ? `${(bytes / 1e6).toFixed(1)} MB` : ""} |`;
  try {
    const key = `${row.folder} ${row.install} ${JSON.stringify(row.files)}`;
    if (!projects.has(key)) projects.set(key, makeProject(made, row));
    const got = await runRow(row, projects.get(key), shared);
    const problem = compare(row, got);
    return { line: line(problem ? "**fails**" : stated(row), got), problem };
  } catch (e) {
    return { line: line("**fails**"), problem: e.message };
  }
}
