// Starts the in-memory server.

import { spawn } from "node:child_process";
import { root } from "./need.mjs";

/** Starts the in-memory server, which exits with this process. */
export async function startServer(...args) {
  const child = spawn("go", ["run", "./sdk/server/mem/memserver", ...args], { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  for await (const part of child.stdout) {
    text += part;
    const url = /^listening (ws:\S+)/m.exec(text)?.[1];
    if (url) return { url, write: (line) => child.stdin.write(`${line}\n`), stop: () => new Promise((resolve) => { child.once("exit", resolve); child.stdin.end(); }) };
  }
  throw new Error("the server did not start");
}
