// Processes of a browser, which end with the test.

import { spawn } from "node:child_process";

// The shell leads the process group. It kills the group when the program exits, or when this process ends in any way, which
// closes its standard input.
const guard = '{ "$@" </dev/null; kill -KILL 0; } & cat; kill -KILL 0';

/**
 * Starts a program in a process group of its own, which end() kills: a browser has many processes. Each line that the
 * program writes is passed to `onLine`.
 */
export function startProcess(program, args, { env = {}, onLine = () => undefined } = {}) {
  const child = spawn("sh", ["-c", guard, "sh", program, ...args], { detached: true, env: { ...process.env, ...env } });
  const ended = new Promise((resolve) => child.once("exit", resolve).once("error", resolve));
  for (const stream of [child.stdout, child.stderr]) {
    let rest = "";
    stream.setEncoding("utf8").on("data", (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      lines.forEach(onLine);
    });
  }
  return {
    ended,
    end() {
      child.stdin.end();
      return ended;
    },
  };
}

/** Starts a program, and waits until a line matches `pattern`. Resolves with the process and the match. */
export async function startUntil(pattern, program, args, options = {}) {
  let found;
  const match = new Promise((resolve) => { found = resolve; });
  const lines = [];
  const onLine = (line) => {
    lines.push(line);
    const match = pattern.exec(line);
    if (match) found(match);
    options.onLine?.(line);
  };
  const started = startProcess(program, args, { ...options, onLine });
  const timer = setTimeout(found, 60_000);
  const result = await Promise.race([match, started.ended]);
  clearTimeout(timer);
  if (Array.isArray(result)) return { ...started, match: result };
  await started.end();
  throw new Error(`${program} did not start:\n${lines.join("\n")}`);
}
