// Makes the projects of the matrix: a copy of a folder here, with the package installed from its tarball or its folder.

import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const js = dirname(dirname(here));
const quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline", "--loglevel=error"];
const env = {
  ...process.env, NEXT_TELEMETRY_DISABLED: "1", BROWSERSLIST_IGNORE_OLD_DATA: "1",
  PATH: [join(js, "node_modules/.bin"), process.env.PATH].join(delimiter), // after the project's own tools
};

/** Makes a temporary folder for projects, with the tarball of the package. */
export function makeFolder() {
  const folder = mkdtempSync(join(tmpdir(), "xmpp-pam-matrix-"));
  const [{ filename }] = JSON.parse(run(js, "npm", "pack", "--json", "--pack-destination", folder));
  return { folder, tarball: join(folder, filename), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** What `npm install` is given, by the name in a row. */
const packages = {
  tarball: ({ tarball }) => [tarball],
  "--install-links": () => ["--install-links", js],
  link: () => ["--install-links=false", js],
};

/**
 * Makes the project of a row. With `bare` its tools are not installed: they are among the devDependencies of the package.
 */
export function makeProject(made, { folder, install = "tarball", files = {} }, { bare = false } = {}) {
  const dir = mkdtempSync(join(made.folder, `${folder}-`));
  for (const name of ["app.mjs", "index.html"]) copyFileSync(join(here, name), join(dir, name.replace(".mjs", ".js")));
  cpSync(join(here, folder), dir, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  if (bare) {
    const file = join(dir, "package.json");
    const { devDependencies, ...rest } = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify(rest));
  }
  run(dir, "npm", "install", ...quiet, ...(bare ? ["--offline"] : []), ...packages[install](made));
  return dir;
}

/** Runs a command, and returns what it prints. An error has its messages. */
export function run(cwd, command, ...args) {
  try {
    return execFileSync(command, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: 300_000 });
  } catch (e) {
    throw new Error(`${command} ${args.join(" ")} failed: ${e.stderr?.trim() || e.stdout?.trim() || e.message}`, { cause: e });
  }
}

/** Starts a script that serves the project at a free port, and waits until it answers. */
export async function startScript(cwd, script, host = "127.0.0.1") {
  const port = await freePort();
  const args = ["run", script, "--", "--port", String(port)];
  const child = spawn("npm", args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => { output += text; });
  const kill = () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has exited.
    }
  };
  process.once("exit", kill);
  const stop = () => {
    process.removeListener("exit", kill);
    kill();
  };
  const url = `http://${host}:${port}/`;
  for (const deadline = Date.now() + 120_000; Date.now() < deadline && child.exitCode === null; await sleep(200)) {
    if (await fetch(url).then((r) => r.ok, () => false)) return { url, stop };
  }
  stop();
  throw new Error(`npm run ${script} does not serve ${url}: ${output.trim()}`);
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Returns the number of bytes in a folder, without source maps, and the scripts that contain the package's worker. */
export function measure(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((name) => !name.endsWith(".map") && statSync(join(folder, name)).isFile());
  const workers = files.filter((name) => /\.m?js$/.test(name) && readFileSync(join(folder, name), "utf8").includes("already exited"));
  return { bytes: files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0), workers: workers.length };
}
