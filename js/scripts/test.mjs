// Runs the tests that need no browser: tests of single modules use the compiled sources, the others use dist/, and those of
// the peer use the in-memory server. The tests in test/browser have a separate command.

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

// A test file that exceeds its time limit is killed and fails. This detects tests that hang, and clients, sockets and timers
// that a test does not close. Later versions of Node.js limit each test as well.
const files = ["test", "test/peer"].flatMap((folder) =>
  readdirSync(join(js, folder)).filter((n) => n.endsWith(".test.mjs")).map((n) => `${folder}/${n}`));
node("--test", "--test-timeout=300000", ...files);
