// Controls the demo program: an XMPP server, and devices with separate ports.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { dist, root } from "./need.mjs";
import { canary } from "./secrets.mjs";

/** Starts the demo with the server "mem" or "prosody". The canary is the password of alice and bob. */
export async function startDemo(server) {
  const program = join(root, "bin/demo");
  if (!existsSync(program)) throw new Error("bin/demo is missing: run make bin/demo, or make test-browser, which does");
  const child = spawn(program, ["-server", server, "-port", "0", "-dist", dist, "-control", "-password", canary], { stdio: ["ignore", "pipe", "inherit"] });
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const origin = await new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (part) => {
      text += part;
      const found = /^demo: (http:\S+)/m.exec(text);
      if (found) resolve(found[1]);
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the demo ended with exit code ${code} before it was ready: ${text}`)));
  });
  const demo = new Demo(server, origin);
  demo.stop = async () => {
    process.removeListener("exit", end);
    child.kill("SIGTERM");
    const timer = setTimeout(end, 10_000);
    await exited;
    clearTimeout(timer);
  };
  return demo;
}

class Demo {
  constructor(server, origin) {
    this.server = server;
    this.origin = origin;
  }

  get(call, query = {}) { return this.#call("GET", call, query); }
  post(call, query = {}, body = undefined) { return this.#call("POST", call, query, body); }

  /** Returns the status of a device by name: {id, name, url, refuse, sockets}. */
  async device(name) {
    const found = (await this.get("devices")).find((d) => d.name === name);
    if (!found) throw new Error(`the demo has no device ${name}`);
    return found;
  }

  /** Disconnects a device from the network: its sockets are reset, and new ones refused. Files are still served. */
  async unplug(name) {
    await this.post("refuse", { device: name, on: "true" });
    return (await this.post("cut", { device: name })).cut;
  }
  /** Publishes sample entries at a node, as the button of the page does. */
  async publish(node, count) {
    const response = await fetch(`${this.origin}/publish?${new URLSearchParams({ node, count })}`, { method: "POST" });
    if (!response.ok) throw new Error(`publish: ${response.status} ${await response.text()}`);
  }
  plug(name) { return this.post("refuse", { device: name, on: "false" }); }

  async #call(method, call, query, body) {
    const response = await fetch(`${this.origin}/control/${call}?${new URLSearchParams(query)}`, { method, body });
    const answer = await response.json();
    if (!response.ok) throw new Error(`control ${call} ${JSON.stringify(query)}: ${response.status} ${answer.error}`);
    return answer;
  }
}
