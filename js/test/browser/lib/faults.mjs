// Builds the program with faults that a test can trigger. An overlay adds them; the sources do not contain them.
//
// The node of a subscribe request, or a password, of the form "fault.<point>.<kind>" selects a fault. The program then
// fails when it next passes that point, with a value that no output may contain.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { goFlags } from "../../../scripts/goflags.mjs";
import { postlink } from "../../../scripts/postlink.mjs";
import { dist, root } from "./need.mjs";

/** Returns the package's script, changed to accept the other program. */
export function scriptFor(wasm) {
  const { wasmSha256, bytes } = JSON.parse(readFileSync(join(dist, "build-info.json"), "utf8"));
  const script = readFileSync(join(dist, "index.js"), "utf8");
  const made = script.replace(wasmSha256, createHash("sha256").update(wasm).digest("hex")).replace(new RegExp(`\\b(?:${bytes}|${bytes / 1000}e3)\\b`), String(wasm.length));
  if (!made.includes(String(wasm.length))) throw new Error("the script does not hold what it knows of the program: this test must follow it");
  return made;
}

/** The values of the panics. */
export const secret = "theirdata";

const fault = `package fault

import (
	"errors"
	"strings"
)

var point, kind string

// Arm makes the program fail at the point that name names.
func Arm(name string) {
	if rest, ok := strings.CutPrefix(name, "fault."); ok {
		point, kind, _ = strings.Cut(rest, ".")
	}
}

var kept [][]byte

// At fails if this is the point.
func At(here string) {
	if here != point {
		return
	}
	point = ""
	switch kind {
	case "text":
		panic("${secret}")
	case "error":
		panic(errors.New("${secret}"))
	case "forged": // begins like a message of the runtime
		panic("runtime error: ${secret}")
	case "lines": // ends as a stack does
		panic("main.${secret}()\\n${secret}:1\\ngoroutine 1 [running]:\\n${secret}:2")
	case "index":
		_ = kept[len(kept)]
	case "nil":
		var p *[]byte
		*p = nil
	case "memory":
		for {
			kept = append(kept, make([]byte, 1<<30))
		}
	}
}
`;

// The points: a file, a line that occurs in it once, and the text that replaces it.
const points = [
  ["sdk/internal/engine/engine.go", "\t\t\twork()\n", '\t\t\tfault.At("owner")\n\t\t\twork()\n'],
  ["sdk/internal/engine/account_operations.go", "\tfail := func(err *pam.Error) {", "\tfault.Arm(t.Node)\n\tfail := func(err *pam.Error) {"],
  ["sdk/internal/engine/storage_session.go", "s.after(saveEvery, func() {\n", 's.after(saveEvery, func() {\n\t\t\tfault.At("timer")\n'],
  ["wasm/bridge.go", "\tr := readRequest(value)\n", '\tr := readRequest(value)\n\tfault.At("dispatch")\n'],
  ["wasm/bridge.go", "\t\tdefer b.cancel(r.key())\n", '\t\tdefer b.cancel(r.key())\n\t\tfault.At("request")\n'],
  ["wasm/events.go", "\tswitch e := e.(type) {\n", '\tfault.At("event")\n\tswitch e := e.(type) {\n'],
  ["wasm/credentials.go", "\tif got == nil {\n", '\tfault.Arm(r.string("password"))\n\tif got == nil {\n'],
  ["wasm/socket/socket.go", "\t\t\tcallback(args)\n", '\t\t\tfault.At("socket")\n\t\t\tcallback(args)\n'],
  ["wasm/idb/connection.go", '\t\tif name := text(args[0]); name != "" {\n', '\t\tfault.At("idb")\n\t\tif name := text(args[0]); name != "" {\n'],
];

/** Returns the module as bytes, and its symbols. */
export function buildFaulty() {
  const dir = mkdtempSync(join(tmpdir(), "xmpp-pam-faults-"));
  try {
    const files = new Map([["sdk/fault/fault.go", fault]]);
    for (const [path, line, instead] of points) {
      const text = files.get(path) ?? readFileSync(join(root, path), "utf8").replace("import (\n", 'import (\n\t"xmpp-pam/sdk/fault"\n');
      if (text.split(line).length !== 2) throw new Error(`${path} has not exactly one ${JSON.stringify(line)}: the test must follow the source`);
      files.set(path, text.replace(line, instead));
    }
    const overlay = {};
    for (const [path, text] of files) {
      overlay[join(root, path)] = join(dir, path);
      mkdirSync(join(dir, path, ".."), { recursive: true });
      writeFileSync(join(dir, path), text);
    }
    writeFileSync(join(dir, "overlay.json"), JSON.stringify({ Replace: overlay }));
    const { version, go } = JSON.parse(readFileSync(join(dist, "build-info.json"), "utf8"));
    const wasm = join(dir, "pam.wasm");
    const args = ["build", ...goFlags(), "-overlay", join(dir, "overlay.json"), `-ldflags=-s -w -buildid= -X main.version=${version}`, "-o", wasm, "./wasm"];
    execFileSync("go", args, { cwd: root, env: { ...process.env, GOOS: "js", GOARCH: "wasm" }, stdio: ["ignore", "ignore", "inherit"] });
    return postlink(readFileSync(wasm), go);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
