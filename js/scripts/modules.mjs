// The program is built with packages of wasm/host in the place of some of other modules, whose tables are large: what
// they do, the host can do, or the program needs only a small part of it. This script writes copies of the modules with
// those packages to js/build, and a go.mod that refers to the copies. Other users of the Go packages are not affected.
//
//   node js/scripts/modules.mjs    prints the path of that go.mod, for -modfile of commands with GOOS=js

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The modules: the version whose packages those of wasm/host have been compared with, the packages that are kept (no other
 * may be imported), those that have a replacement in wasm/host, and changes of files: `[old, new]`, where the text old must
 * occur exactly once.
 */
export const modules = {
  "golang.org/x/text": {
    version: "v0.34.0",
    kept: ["runes", "secure/bidirule", "secure/precis", "transform", "unicode/bidi"],
    replaced: { cases: "cases", language: "language", "unicode/norm": "norm", width: "width" },
    changed: { // The program has no logger, and no text of both directions that is laid out.
      "unicode/bidi/core.go": [
        ['\t"log"\n', ""], ["log.Panic(", "panic("], ["log.Panicf(", "panic(fmt.Sprintf("],
        ["in assertOnly at position %d\", t, s.indexes[i])", "in assertOnly at position %d\", t, s.indexes[i]))"],
      ],
    },
  },
  "mellium.im/reader": {
    version: "v0.1.0",
    kept: ["."],
    replaced: {},
    changed: {
      "reader.go": [
        ['\t"net"\n', ""], ["\t\tConn: c,\n", ""], ["\tnet.Conn\n", ""],
        ["func Conn(c net.Conn, r io.Reader) net.Conn {", "func Conn(_, r io.Reader) io.Reader {"],
      ],
    },
  },
  "mellium.im/xmpp": {
    version: "v0.23.0",
    kept: ["disco/info", "internal/ns", "jid"],
    replaced: { "internal/ip": "../../sdk/internal/ip" },
    changed: { "jid/jid.go": [['"net"', 'net "mellium.im/xmpp/internal/ip"']] },
  },
  "golang.org/x/net": { version: "v0.50.0", kept: [], replaced: { idna: "idna" } },
};

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Throws if go.mod requires another version than the replacements were compared with. */
export function checkVersion(name, required) {
  const { version } = modules[name];
  if (required !== version) {
    throw new Error(`go.mod requires ${name} ${required}, but the packages of wasm/host were compared with ${version}: `
      + "run their tests (make test-wasm) with the version in js/scripts/modules.mjs changed");
  }
}

/** Writes the copies and the go.mod, and returns its path. Files that are up to date are not written. */
export function writeModules() {
  const build = join(root, "js/build");
  let mod = readFileSync(join(root, "go.mod"), "utf8");
  for (const [name, { kept, replaced, changed = {} }] of Object.entries(modules)) {
    // On a fresh machine the module is not there yet; go list would print no folder.
    const download = execFileSync("go", ["mod", "download", "-json", name], { cwd: root, encoding: "utf8" });
    const { Version: version, Dir: from } = JSON.parse(download);
    checkVersion(name, version);
    const to = join(build, "modules", name);
    for (const file of ["go.mod", "LICENSE"]) write(join(to, file), readFileSync(join(from, file)));
    for (const path of kept) {
      copyPackage(join(from, path), join(to, path), (file) => changed[join(path, file)]);
    }
    for (const [path, ours] of Object.entries(replaced)) copyPackage(join(root, "wasm/host", ours), join(to, path));
    mod += `\nreplace ${name} => ./js/build/modules/${name}\n`;
  }
  write(join(build, "go.sum"), readFileSync(join(root, "go.sum")));
  write(join(build, "go.mod"), Buffer.from(mod));
  return join(build, "go.mod");
}

function copyPackage(from, to, changesOf = () => undefined) {
  const names = readdirSync(from).filter((name) => name.endsWith(".go") && !name.endsWith("_test.go"));
  for (const name of names) {
    let text = readFileSync(join(from, name), "utf8");
    for (const [old, by] of changesOf(name) ?? []) {
      const parts = text.split(old);
      if (parts.length !== 2) throw new Error(`${join(from, name)} has not exactly one ${JSON.stringify(old)}`);
      text = parts.join(by);
    }
    write(join(to, name), Buffer.from(text));
  }
  for (const name of readdirSync(to)) {
    if (name.endsWith(".go") && !names.includes(name)) rmSync(join(to, name));
  }
}

/** A build that runs at the same time may read the file, so that it is only written if it changes. */
function write(path, bytes) {
  if (existsSync(path) && readFileSync(path).equals(bytes)) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(writeModules());
