// Reads pclntab, the tables in which Go's runtime looks up functions, frames and source lines, as Go 1.26 defines them:
// pcHeader and moduledata in runtime/symtab.go, _func in runtime/runtime2.go, inlinedCall in runtime/symtabinl.go, the
// indices of pcdata and funcdata in internal/abi/symtab.go. cmd/link/internal/ld/pcln.go writes them.

/** The offsets of the fields of runtime._func. `size` is followed by the pcdata, then by the funcdata, of 4 bytes each. */
export const func = {
  entryOff: 0, nameOff: 4, pcsp: 16, pcfile: 20, pcln: 24, npcdata: 28, cuOffset: 32, startLine: 36, pad: 42, nfuncdata: 43,
  size: 44,
};
/** The offsets of the fields of runtime.inlinedCall. */
export const call = { pad: 1, nameOff: 4, parentPc: 8, startLine: 12, size: 16 };
export const pcdata = { unsafePoint: 0, inlTreeIndex: 2, count: 5 };
const funcdata = { inlTree: 3, count: 8, none: 0xffffffff };

/** The size of a bucket of findfunctab, and the number of buckets of each function. */
export const bucket = { size: 20, each: 16 };

const magic = Buffer.from([0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8]); // version, padding, instruction size, pointer size
const headerSize = 72;

/**
 * Returns where the tables are in the initial memory, and a record of each function. It throws if anything differs from
 * what the linker of Go 1.26 writes. `functions` is the number of functions in the code section.
 */
export function readTables(memory, functions) {
  const u32 = (at) => memory.readUInt32LE(at);
  const u64 = (at) => Number(memory.readBigUInt64LE(at));
  const header = only(memory, magic, "header");
  const data = only(memory, words(header, header + headerSize), "moduledata");
  check(u64(header + 8) === functions && u64(header + 24) === 0, "the header");
  const [names, cutab, filetab, pctab, pclntable, ftab] = [0, 1, 2, 3, 4, 5].map((i) => {
    const [at, length, capacity] = [8, 16, 24].map((field) => u64(data + 24 * i + field));
    check(i === 5 || at === header + u64(header + 32 + 8 * i), "the addresses in the header");
    check(length === capacity && length > 0, "the length of a table");
    return { at, length, end: at + length * [1, 4, 1, 1, 1, 8][i] };
  });
  const [findfunctab, minpc, gofunc, end] = [152, 160, 320, 328].map((field) => u64(data + field));
  const order = [names, cutab, filetab, pctab, pclntable].flatMap(({ at, end }) => [at, end]);
  check([...order, gofunc, findfunctab, end].every((at, i, all) => i === 0 || at >= all[i - 1]), "the order of the tables");
  check(ftab.at === pclntable.at && ftab.at % 8 === 0 && ftab.length === functions + 1, "ftab");

  const first = u32(ftab.at);
  check(minpc === first * 2 ** 16, "the address of the first function");
  const tables = { memory, names, cutab, filetab, pctab, ftab, first, findfunctab: { at: findfunctab, end }, funcs: [] };
  let at = ftab.at + 8 * functions + 8;
  for (let i = 0; i < functions; i++) {
    check(u32(ftab.at + 8 * i) === first + i && ftab.at + u32(ftab.at + 8 * i + 4) === at, "an entry of ftab");
    check(u32(at + func.entryOff) === first + i && memory[at + func.pad] === 0, "the record of a function");
    const record = readFunc(tables, at, gofunc);
    tables.funcs.push(record);
    at = align8(at + func.size + 4 * (record.pcdata.length + memory[at + func.nfuncdata]));
  }
  check(u32(ftab.at + 8 * functions) === first + functions && at <= align8(pclntable.end), "the end of the functions");
  checkBuckets(tables);
  return tables;
}

/** Returns the steps of a table of pctab: the value holds for addresses in the function that are less than `until`. */
export function readSteps({ memory, pctab }, offset) {
  const steps = [];
  let at = pctab.at + offset;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = memory[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
      check(shift < 28, "a number in pctab");
    }
  };
  for (let until = 0, value = -1; steps.length === 0 || memory[at] !== 0;) {
    const delta = number();
    value += delta & 1 ? ~(delta >>> 1) : delta >>> 1;
    until += number();
    check(until < 2 ** 16 && at < pctab.end, "a table of pctab");
    steps.push({ until, value });
  }
  return { steps, end: at + 1 - pctab.at };
}

/** Returns the text at an offset of the table of names or of files. */
export function readText({ memory }, table, offset) {
  const at = table.at + offset;
  check(at < table.end && (offset === 0 || memory[at - 1] === 0), "the offset of a name");
  return memory.toString("utf8", at, memory.indexOf(0, at));
}

/** Returns the file with this number in the function's compilation unit. */
export function readFile(tables, { cuOffset }, number) {
  check(cuOffset + number < tables.cutab.length, "the number of a file");
  return readText(tables, tables.filetab, tables.memory.readUInt32LE(tables.cutab.at + 4 * (cuOffset + number)));
}

/** Returns the record of the function at this address: its name, its offsets in the tables, and its inlined calls. */
function readFunc(tables, at, gofunc) {
  const { memory } = tables;
  const u32 = (from) => memory.readUInt32LE(from);
  const [pcdataCount, funcdataCount] = [u32(at + func.npcdata), memory[at + func.nfuncdata]];
  check(pcdataCount <= pcdata.count && funcdataCount <= funcdata.count, "the record of a function");
  const offsets = Array.from({ length: pcdataCount }, (_, i) => u32(at + func.size + 4 * i));
  const tree = funcdataCount > funcdata.inlTree
    ? u32(at + func.size + 4 * (pcdataCount + funcdata.inlTree)) : funcdata.none;
  const inlined = tree === funcdata.none ? [] : readSteps(tables, offsets[pcdata.inlTreeIndex]).steps;
  const calls = Array.from({ length: Math.max(0, ...inlined.map(({ value }) => value + 1)) }, (_, i) => {
    const from = gofunc + tree + call.size * i;
    check(from + call.size <= tables.findfunctab.at && memory.readUIntLE(from + call.pad, 3) === 0, "an inlined call");
    const name = readText(tables, tables.names, u32(from + call.nameOff));
    return { at: from, name, parentPc: u32(from + call.parentPc) };
  });
  const [pcsp, pcfile, pcln, cuOffset] = ["pcsp", "pcfile", "pcln", "cuOffset"].map((field) => u32(at + func[field]));
  const name = readText(tables, tables.names, u32(at + func.nameOff));
  return { at, name, pcsp, pcfile, pcln, pcdata: offsets, cuOffset, inlined, calls };
}

/** Checks that each bucket holds the number of its function. */
function checkBuckets({ memory, findfunctab: { at, end }, funcs }) {
  const count = (funcs.length - 1) * bucket.each + 1; // the last function ends in its first bucket
  check(end - at === (count - 1) * bucket.size + 5, "the size of findfunctab");
  for (let i = 0; i < count; i++) {
    const from = at + i * bucket.size;
    const rest = memory.subarray(from + 4, Math.min(from + bucket.size, end));
    check(memory.readUInt32LE(from) === Math.floor(i / bucket.each) && rest.every((b) => b === 0), "findfunctab");
  }
}

/** Returns the only address, a multiple of 8, at which the memory has these bytes. */
function only(memory, bytes, what) {
  const found = [];
  for (let at = -1; (at = memory.indexOf(bytes, at + 1)) >= 0;) if (at % 8 === 0) found.push(at);
  check(found.length === 1, `${found.length} places look like the ${what}`);
  return found[0];
}

function words(...values) {
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, i) => bytes.writeBigUInt64LE(BigInt(value), 8 * i));
  return bytes;
}

function check(condition, what) {
  if (!condition) {
    throw new Error(`postlink: pclntab is not as Go 1.26 defines it (${what}): adapt js/scripts/pclntab.mjs to this Go`);
  }
}

const align8 = (n) => Math.ceil(n / 8) * 8;
