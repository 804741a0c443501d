// A build of the program that fails where and as a test says. Nothing of it is in the sources: it is laid over them.
//
// A fault is named by the node of a subscribe, or by a password, "fault.<point>.<kind>". When the program passes that
// point next it fails, with a value that no one may ever see.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { goFlags } from "../../../scripts/goflags.mjs";
import { dist, root } from "./need.mjs";

/** The package's script, made to take another program for its own. */
export function scriptFor(wasm) {
  const { wasmSha256, bytes } = JSON.parse(readFileSync(join(dist, "build-info.json"), "utf8"));
  const script = readFileSync(join(dist, "index.js"), "utf8");
  const made = script.replace(wasmSha256, createHash("sha256").update(wasm).digest("hex")).replace(new RegExp(`\\b(?:${bytes}|${bytes / 1000}e3)\\b`), String(wasm.length));
  if (!made.includes(String(wasm.length))) throw new Error("the script does not hold what it knows of the program: this test must follow it");
  return made;
}

/** What panics say. */
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
	case "forged": // begins as what the runtime itself says
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

// Where the program fails: a file, a line of it that is there once, and what is put in its place.
const points = [
  ["sdk/internal/engine/engine.go", "\t\t\twork()\n", '\t\t\tfault.At("owner")\n\t\t\twork()\n'],
  ["sdk/internal/engine/account_operations.go", "\tfail := func(err *pam.Error) {", "\tfault.Arm(t.Node)\n\tfail := func(err *pam.Error) {"],
  ["sdk/internal/engine/storage_session.go", "s.after(saveEvery, func() {\n", 's.after(saveEvery, func() {\n\t\t\tfault.At("timer")\n'],
  ["wasm/bridge.go", "\tr := readRequest(request)\n", '\tr := readRequest(request)\n\tfault.At("dispatch")\n'],
  ["wasm/bridge.go", "\t\tdefer b.cancel(r.id)\n", '\t\tdefer b.cancel(r.id)\n\t\tfault.At("request")\n'],
  ["wasm/events.go", "\tswitch e := e.(type) {\n", '\tfault.At("event")\n\tswitch e := e.(type) {\n'],
  ["wasm/credentials.go", "\tif got != nil {\n", '\tfault.Arm(r.string("password"))\n\tif got != nil {\n'],
  ["wasm/socket/socket.go", "\t\t\tcallback(args)\n", '\t\t\tfault.At("socket")\n\t\t\tcallback(args)\n'],
  ["wasm/idb/connection.go", '\t\tif name := text(args[0]); name != "" {\n', '\t\tfault.At("idb")\n\t\tif name := text(args[0]); name != "" {\n'],
];

/** Builds it, as bytes. */
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
    const { version } = JSON.parse(readFileSync(join(dist, "build-info.json"), "utf8"));
    const wasm = join(dir, "pam.wasm");
    const args = ["build", ...goFlags, "-overlay", join(dir, "overlay.json"), `-ldflags=-s -w -buildid= -X main.version=${version}`, "-o", wasm, "./wasm"];
    execFileSync("go", args, { cwd: root, env: { ...process.env, GOOS: "js", GOARCH: "wasm" }, stdio: ["ignore", "ignore", "inherit"] });
    return readFileSync(wasm);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
