// Rewrites the program that Go's linker wrote, so that its compressed size is smaller. It joins data segments, and removes
// from pclntab what only texts for people need (names, files and lines), what nothing needs in WebAssembly, and what a start
// function can compute.

import { bucket, call, func, pcdata, readSteps, readTables } from "./pclntab.mjs";
import { makeSymbols } from "./symbols.mjs";
import { int, readMemory, readSections, readUint, section, uint, writeMemory, writeSections } from "./wasm.mjs";

/** Returns the smaller program, and the symbols of the functions that it no longer names. */
export function postlink(program, goVersion) {
  if (!/^go1\.26(?!\d)/.test(goVersion)) {
    throw new Error(`postlink: the step after the linker knows the tables of Go 1.26 only, not those of ${goVersion}`);
  }
  const sections = readSections(program);
  if (sections.some(({ id }) => id === section.start || id === section.dataCount)) {
    throw new Error("postlink: the program has a start function, or counts its data segments");
  }
  const body = (id) => sections.find((s) => s.id === id).body;
  const memory = readMemory(body(section.data));
  const tables = readTables(memory, readUint(body(section.function), 0).value);
  const symbols = makeSymbols(tables);
  removeNames(tables);
  packTables(tables);
  removeComputed(tables);
  return { program: writeSections(withStart(replace(sections, section.data, writeMemory(memory)), tables)), symbols };
}

/** The functions whose names the runtime compares to find their arguments (stkframe.go). */
const named = ["reflect.makeFuncStub", "reflect.methodValueCall"];
/**
 * The names of all others. They have the form of a method's name, because runtime.panicwrap throws if its caller's has not.
 * The runtime recognises its own goroutines by the prefix of the name of the function that they run.
 */
const [runtime, other] = ["runtime.(*_)._", "_.(*_)._"];

/** Replaces the names of functions, and removes files and lines. */
function removeNames({ memory, names, pctab, funcs }) {
  memory.fill(0, names.at, pctab.at); // and the tables of files
  const offsets = new Map();
  let end = 1; // offset 0 means that there is no name
  for (const name of [other, runtime, ...named.filter((name) => funcs.some((f) => f.name === name))]) {
    offsets.set(name, end);
    end += memory.write(`${name}\0`, names.at + end, "latin1");
  }
  const offset = (name) => offsets.get(name) ?? offsets.get(name.startsWith("runtime.") ? runtime : other);
  for (const { at, name, calls } of funcs) {
    memory.writeUInt32LE(offset(name), at + func.nameOff);
    for (const field of ["pcfile", "pcln", "cuOffset", "startLine"]) memory.writeUInt32LE(0, at + func[field]);
    for (const { at: from, name } of calls) {
      memory.writeUInt32LE(offset(name), from + call.nameOff);
      memory.writeUInt32LE(0, from + call.startLine);
    }
  }
}

/**
 * Writes the tables of pctab that are still needed, each once and in an order that compresses well. Those of unsafe points
 * are needed only to preempt a goroutine with a signal, which does not exist in WebAssembly.
 */
function packTables(tables) {
  const { memory, pctab, funcs } = tables;
  const uses = [];
  for (const { at, pcsp, pcdata: offsets } of funcs) {
    const fields = [[at + func.pcsp, pcsp], ...offsets.map((offset, i) => [at + func.size + 4 * i, offset])];
    if (offsets.length > pcdata.unsafePoint) memory.writeUInt32LE(0, fields.splice(1 + pcdata.unsafePoint, 1)[0][0]);
    for (const [field, offset] of fields) {
      if (offset === 0) continue; // there is no table
      const { end } = readSteps(tables, offset);
      uses.push({ field, bytes: memory.toString("latin1", pctab.at + offset, pctab.at + end) });
    }
  }
  const places = new Map(uses.map(({ bytes }) => bytes).sort().map((bytes) => [bytes, 0]));
  memory.fill(0, pctab.at, pctab.end);
  let offset = 1; // 0 means that there is no table
  for (const bytes of places.keys()) {
    places.set(bytes, offset);
    offset += memory.write(bytes, pctab.at + offset, "latin1");
  }
  for (const { field, bytes } of uses) memory.writeUInt32LE(places.get(bytes), field);
}

/** Removes what the start function computes. readTables has checked that it computes the same. */
function removeComputed({ memory, ftab, findfunctab, funcs }) {
  memory.fill(0, ftab.at, ftab.at + 8 * funcs.length);
  memory.fill(0, findfunctab.at, findfunctab.end);
  for (const { at } of funcs) memory.writeUInt32LE(0, at + func.entryOff);
}

/**
 * Adds a function that the browser runs before it returns the instance. It writes ftab, findfunctab and the numbers of the
 * functions.
 */
function withStart(sections, { ftab, findfunctab, funcs, first }) {
  const [record, number, entry] = [0, 1, 2]; // the local variables
  const [get, set] = [0x20, 0x21].map((op) => (local) => [op, local]);
  const constant = (n) => [0x41, ...int(n)];
  const load = (field) => [0x28, 2, ...uint(field)];
  const loadByte = (field) => [0x2d, 0, ...uint(field)];
  const store = (field) => [0x36, 2, ...uint(field)];
  const [add, subtract, multiply, and, shiftLeft, shiftRight, less] = [0x6a, 0x6b, 0x6c, 0x71, 0x74, 0x76, 0x49];
  const increase = (local, by) => [...get(local), ...constant(by), add, ...set(local)];
  const repeat = (count, code) => [
    ...constant(0), ...set(number),
    0x03, 0x40, ...code, ...increase(number, 1), ...get(number), ...constant(count), less, 0x0d, 0, 0x0b,
  ];
  const code = [
    1, 3, 0x7f, // three local variables of type i32
    ...constant(funcs[0].at), ...set(record), ...constant(ftab.at), ...set(entry),
    ...repeat(funcs.length, [
      ...get(record), ...get(entry), ...get(number), ...constant(first), add, ...store(0), // entry.entryoff
      ...get(entry), ...load(0), ...store(func.entryOff),
      ...get(entry), ...get(record), ...constant(ftab.at), subtract, ...store(4), // entry.funcoff
      ...get(record), ...load(func.npcdata), ...get(record), ...loadByte(func.nfuncdata), add, ...constant(2), shiftLeft,
      ...constant(func.size + 7), add, ...constant(-8), and, ...get(record), add, ...set(record),
      ...increase(entry, 8),
    ]),
    ...repeat((funcs.length - 1) * bucket.each + 1, [
      ...get(number), ...constant(bucket.size), multiply,
      ...get(number), ...constant(Math.log2(bucket.each)), shiftRight, ...store(findfunctab.at),
    ]),
    0x0b,
  ];
  const type = readUint(sections.find(({ id }) => id === section.type).body, 0).value;
  const imports = readUint(sections.find(({ id }) => id === section.import).body, 0).value; // all are functions
  let changed = append(sections, section.type, [0x60, 0, 0]);
  changed = append(changed, section.function, uint(type));
  changed = append(changed, section.code, [...uint(code.length), ...code]);
  const start = { id: section.start, body: Buffer.from(uint(imports + funcs.length)) };
  const at = changed.findIndex(({ id }) => id === section.element);
  return [...changed.slice(0, at), start, ...changed.slice(at)];
}

/** Appends an item to a section that begins with the number of its items. */
function append(sections, id, item) {
  const { body } = sections.find((s) => s.id === id);
  const { value, next } = readUint(body, 0);
  return replace(sections, id, Buffer.concat([Buffer.from(uint(value + 1)), body.subarray(next), Buffer.from(item)]));
}

const replace = (sections, id, body) => sections.map((s) => (s.id === id ? { id, body } : s));
