// The map from addresses of the program to functions and source lines. The build writes it to dist/pam.symbols.json, because
// the program contains neither.

import { readFile, readSteps } from "./pclntab.mjs";

/**
 * Returns the map for the tables that Go's linker wrote. `first` is the number of the first function. Each function is
 * [name, positions, calls]. Positions are quadruples (until, file, line, call), which hold for addresses in the function
 * that are less than `until`; `call` is the inlined call that contains the address, or -1. Inlined calls are pairs (name,
 * address of the call).
 */
export function makeSymbols(tables) {
  const files = new Map();
  const fileOf = (record, number) => {
    const file = readFile(tables, record, number);
    if (!files.has(file)) files.set(file, files.size);
    return files.get(file);
  };
  const functions = tables.funcs.map((record) => {
    const { name, pcfile, pcln, inlined, calls } = record;
    const columns = [pcfile, pcln].map((offset) => (offset === 0 ? [] : readSteps(tables, offset).steps));
    const valueAt = (steps, pc) => steps.find(({ until }) => pc < until)?.value ?? -1;
    const ends = new Set([...columns, inlined].flatMap((steps) => steps.map(({ until }) => until)));
    let start = 0;
    const positions = [...ends].sort((a, b) => a - b).flatMap((until) => {
      const [file, line, call] = [...columns, inlined].map((steps) => valueAt(steps, start));
      start = until;
      return [until, file < 0 ? -1 : fileOf(record, file), line, call];
    });
    return [name, positions, calls.flatMap((c) => [c.name, c.parentPc])];
  });
  return { first: tables.first, files: [...files.keys()], functions };
}

/** Returns the report of a crash with each line "pc=0x…" replaced by the functions and source lines there. */
export function resolve(symbols, report) {
  return report.replace(/^.*\bpc=0x([\da-f]+).*$/gm, (line, pc) => {
    const frames = framesAt(symbols, Number.parseInt(pc, 16));
    return frames.length === 0 ? line : frames.map(({ name, file, line }) => `${name}\n\t${file}:${line}`).join("\n");
  });
}

/** Returns the frames at a return address, the innermost first. */
function framesAt({ first, files, functions }, address) {
  const found = functions[Math.floor(address / 2 ** 16) - first];
  if (!found) return [];
  const [name, positions, calls] = found;
  const frames = [];
  for (let pc = Math.max(0, address % 2 ** 16 - 1); ;) { // the call is before the address to which it returns
    let i = 0;
    while (i < positions.length && pc >= positions[i]) i += 4;
    const [file, line, call] = i < positions.length ? positions.slice(i + 1, i + 4) : [-1, 0, -1];
    frames.push({ name: call < 0 ? name : calls[2 * call], file: files[file] ?? "?", line });
    if (call < 0 || frames.length > 100) return frames;
    pc = calls[2 * call + 1];
  }
}
