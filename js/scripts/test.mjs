// Runs the tests that need no browser: those of single modules on the compiled sources, the others on dist/, and the
// peer's against the server in memory. Those in test/browser have a command of their own.

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "./bundle.mjs";

const js = dirname(dirname(fileURLToPath(import.meta.url)));
const node = (...args) => {
  const { status } = spawnSync(process.execPath, args, { cwd: js, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
};

await compile(js);
node("node_modules/typescript/bin/tsc", "-p", "test/types");

// A file that does not end within its time is ended, and has failed: this holds for tests that hang, and for clients,
// sockets and timers that they leave behind. Later versions of Node limit each test as well.
const files = ["test", "test/peer"].flatMap((folder) =>
  readdirSync(join(js, folder)).filter((n) => n.endsWith(".test.mjs")).map((n) => `${folder}/${n}`));
node("--test", "--test-timeout=300000", ...files);
