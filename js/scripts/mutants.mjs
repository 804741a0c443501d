// Runs mutation tests of src in a copy of this folder. The program that selects the mutants, sdk/internal/mutate/drawn,
// starts this script. The first line that the script prints lists all mutants and the checksum of the tests. Each line that
// it reads is a mutant; it answers with a line that holds the verdict.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { bundle, compile } from "./bundle.mjs";

const js = dirname(dirname(fileURLToPath(import.meta.url)));
const { config } = ts.readConfigFile(join(js, "tsconfig.json"), ts.sys.readFile);
const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, js);
const program = ts.createProgram(fileNames, options);
const checker = program.getTypeChecker();

const boundary = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };

/** nameOf returns the name of a function, as in V8's coverage; "" for a function without a name. */
function nameOf(node) {
  if (ts.isConstructorDeclaration(node)) return node.parent.name?.text ?? "";
  if (node.name) return node.name.getText();
  const { parent } = node;
  const named = ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent);
  return named && parent.initializer === node ? parent.name.getText() : "";
}

/** within returns the name of the innermost named function around node, with the name of its class before it. */
function within(node) {
  for (let n = node.parent; n; n = n.parent) {
    const name = ts.isFunctionLike(n) && n.body ? nameOf(n) : "";
    const owner = [n.parent, n.parent?.parent].find((p) => p && ts.isClassLike(p))?.name?.text;
    if (name) return { in: owner && owner !== name ? `${owner}.${name}` : name, outside: false };
  }
  return { in: basename(node.getSourceFile().fileName), outside: true };
}

/** mutants returns the mutants of a file. */
function mutants(source) {
  const found = [];
  const add = (kind, first, last, by) => {
    const from = first.getStart(source);
    const to = last.getEnd();
    const line = source.getLineAndCharacterOfPosition(from).line + 1;
    const file = `js/src/${basename(source.fileName)}`;
    found.push({ kind, ...within(first), file, line, from, to, old: source.text.slice(from, to), new: by });
  };
  const visit = (node) => {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    const text = (n) => n.getText(source);
    let condition;
    if (ts.isConditionalExpression(node) || ts.isForStatement(node)) condition = node.condition;
    else if (ts.isIfStatement(node) || ts.isWhileStatement(node)) condition = node.expression;
    if (condition) add("negate", condition, condition, `!(${text(condition)})`);
    if (ts.isExpressionStatement(node)) {
      const wrapped = ts.isAwaitExpression(node.expression) || ts.isVoidExpression(node.expression);
      const e = wrapped ? node.expression.expression : node.expression;
      if (ts.isCallExpression(e)) add("drop call", node, node, ";");
      const assigns = ts.isBinaryExpression(e) && ts.isAssignmentOperator(e.operatorToken.kind);
      const counts = ts.isPostfixUnaryExpression(e) || ts.isPrefixUnaryExpression(e);
      if (assigns || counts) add("drop assignment", node, node, ";");
    }
    if (ts.isNumericLiteral(node)) add("off by one", node, node, `(${text(node)} + 1)`);
    const moved = ts.isBinaryExpression(node) && boundary[text(node.operatorToken)];
    if (moved) add("boundary", node, node, `${text(node.left)} ${moved} ${text(node.right)}`);
    if (ts.isCallExpression(node) && !/^Math\.(min|max)$/.test(text(node.expression))) {
      const type = (n) => checker.typeToString(checker.getBaseTypeOfLiteralType(checker.getTypeAtLocation(n)));
      node.arguments.slice(1).forEach((b, i) => {
        const a = node.arguments[i];
        if (type(a) === type(b) && text(a) !== text(b)) add("swap", a, b, `${text(b)}, ${text(a)}`);
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

// The copy has src, its build results and the tests; it links to everything else.
const copy = mkdtempSync(join(tmpdir(), "mutants-js-"));
process.on("exit", () => rmSync(copy, { recursive: true, force: true }));
const there = join(copy, "js");
function link(from, to, except) {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    if (!except.includes(name) && name !== ".git") symlinkSync(join(from, name), join(to, name));
  }
}
link(dirname(js), copy, ["js"]);
link(js, there, ["src", "test", "dist", "build"]);
link(join(js, "dist"), join(there, "dist"), ["index.js", "index.js.map", "worker.js", "worker.js.map"]);
for (const name of ["src", "test"]) cpSync(join(js, name), join(there, name), { recursive: true });
const infoOf = (name) => JSON.parse(readFileSync(join(js, "dist", name), "utf8"));
const info = infoOf("build-info.json");
const nodeInfo = infoOf("build-info-node.json");
async function build() {
  await compile(there);
  await bundle(there, info, nodeInfo);
}

/** run runs a test file, and returns the verdict. */
function run(file, seconds, env = {}) {
  const start = Date.now();
  const { status, stdout } = spawnSync(process.execPath, ["--test-reporter=tap", file], {
    cwd: there, env: { ...process.env, ...env }, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1 << 28,
    timeout: 1000 * seconds, killSignal: "SIGKILL",
  });
  const verdict = status === 0 ? "survived" : status !== null || /^ *not ok/m.test(stdout) ? "found" : "endless";
  return { verdict, seconds: (Date.now() - start) / 1000 };
}

/** cover finds out which functions each test file calls. */
function cover() {
  const found = [];
  for (const file of tests) {
    const folder = mkdtempSync(join(copy, "coverage-"));
    const { verdict, seconds } = run(file, 300, { NODE_V8_COVERAGE: folder });
    const called = new Set();
    for (const report of readdirSync(folder)) {
      for (const { url, functions } of JSON.parse(readFileSync(join(folder, report), "utf8")).result) {
        const module = /\/js\/(build\/src|dist)\/(\w+)\.js$/.exec(url);
        if (!module) continue;
        // If two modules have the same name, the bundler appends a number or prepends an underscore.
        for (const f of functions) {
          const name = f.functionName.replace(/^([gs]et |static )?_?/, "").replace(/\d+$/, "");
          if (f.ranges[0].count > 0) called.add(`${module[1] === "dist" ? "" : module[2]} ${name}`);
        }
      }
    }
    const usable = verdict === "survived" ? "passes" : "fails, and is not used";
    console.error(`${file}: ${seconds.toFixed(1)} s, ${called.size} functions, ${usable}`);
    if (verdict === "survived") found.push({ file, seconds, called });
  }
  return found.sort((a, b) => a.seconds - b.seconds);
}

let covered;
async function judge(m) {
  if (!covered) {
    await build();
    covered = cover();
  }
  const module = basename(m.file, ".ts");
  const name = m.outside ? "" : m.in.split(".").at(-1).replace(/\d+$/, "");
  const reaching = covered.filter(({ called }) => called.has(` ${name}`) || called.has(`${module} ${name}`));
  if (reaching.length === 0) return { verdict: "unreached", by: "" };
  const path = join(there, "src", basename(m.file));
  const text = readFileSync(path, "utf8");
  try {
    writeFileSync(path, text.slice(0, m.from) + m.new + text.slice(m.to));
    await build();
    for (const { file, seconds } of reaching) {
      const limit = Math.ceil(20 + 10 * seconds);
      let { verdict } = run(file, limit);
      if (verdict === "found" && run(file, limit).verdict === "survived") verdict = "survived"; // It failed by chance.
      if (verdict === "endless") {
        writeFileSync(path, text);
        await build();
        const unchanged = run(file, limit);
        const ends = unchanged.verdict === "survived" && unchanged.seconds < limit / 4; // without the mutant, now
        return ends ? { verdict: "found", by: `${file} does not end` } : { verdict, by: file };
      }
      if (verdict === "found") return { verdict, by: file };
    }
    return { verdict: "survived", by: "" };
  } catch (e) {
    return { verdict: "invalid", by: String(e) };
  } finally {
    writeFileSync(path, text);
  }
}

const tests = ["test", "test/peer"]
  .flatMap((folder) => readdirSync(join(js, folder)).filter((n) => n.endsWith(".test.mjs")).map((n) => `${folder}/${n}`));
const sum = createHash("sha256");
for (const file of tests) sum.update(readFileSync(join(js, file)));
const sources = program.getSourceFiles().filter((f) => dirname(f.fileName) === join(js, "src") && !f.isDeclarationFile);
const all = sources.flatMap(mutants);
console.log(JSON.stringify({ mutants: all, tests: sum.digest("hex").slice(0, 16) }));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await judge(JSON.parse(line))));
}
