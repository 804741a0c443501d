// Reads and writes WebAssembly modules as Go's linker makes them: sections, the initial memory, and LEB128 numbers.

export const section = {
  custom: 0, type: 1, import: 2, function: 3, start: 8, element: 9, code: 10, data: 11, dataCount: 12,
};

/** Returns the sections of a module in their order, as {id, body}. */
export function readSections(program) {
  const sections = [];
  for (let at = 8; at < program.length;) {
    const size = readUint(program, at + 1);
    const end = size.next + size.value;
    sections.push({ id: program[at], body: program.subarray(size.next, end) });
    at = end;
  }
  return sections;
}

export function writeSections(sections) {
  const parts = sections.flatMap(({ id, body }) => [Buffer.from([id, ...uint(body.length)]), body]);
  return Buffer.concat([Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), ...parts]);
}

/**
 * Returns the initial memory up to its last byte in the body of a data section. It throws for a form that Go's linker does
 * not write.
 */
export function readMemory(body) {
  const count = readUint(body, 0);
  const segments = [];
  let at = count.next;
  for (let i = 0; i < count.value; i++) {
    // A segment of memory 0 with a constant offset: i32.const n, end.
    if (body[at] !== 0 || body[at + 1] !== 0x41) throw new Error("postlink: a data segment of an unknown kind");
    const offset = readInt(body, at + 2);
    if (body[offset.next] !== 0x0b) throw new Error("postlink: the offset of a data segment is not a constant");
    const size = readUint(body, offset.next + 1);
    at = size.next + size.value;
    segments.push({ offset: offset.value, bytes: body.subarray(size.next, at) });
  }
  const memory = Buffer.alloc(segments.reduce((end, { offset, bytes }) => Math.max(end, offset + bytes.length), 0));
  for (const { offset, bytes } of segments) bytes.copy(memory, offset);
  return memory;
}

/**
 * Returns the body of a data section for this memory. Memory is initially zero, so the segments leave out runs of more than
 * `gap` zeros. Go's linker leaves out shorter runs too; the headers of all its segments take a twelfth of the compressed
 * program.
 */
export function writeMemory(memory, gap = 64) {
  const segments = [];
  for (let start = 0; ;) {
    while (memory[start] === 0) start++;
    if (start >= memory.length) break;
    let end = start + 1; // after the last byte that is not zero
    for (let at = end; at < memory.length && at - end <= gap; at++) if (memory[at] !== 0) end = at + 1;
    segments.push(Buffer.from([0, 0x41, ...int(start), 0x0b, ...uint(end - start)]), memory.subarray(start, end));
    start = end;
  }
  return Buffer.concat([Buffer.from(uint(segments.length / 2)), ...segments]);
}

// LEB128, the encoding of 32-bit numbers in WebAssembly.

export function readUint(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value: value >>> 0, next: at };
    if (byte === undefined) throw new Error("postlink: a number is cut off");
  }
}

function readInt(bytes, at) {
  let value = 0;
  for (let shift = 0; ;) {
    const byte = bytes[at++];
    value |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte < 0x80) return { value: shift < 32 && byte & 0x40 ? value | (-1 << shift) : value, next: at };
  }
}

export function uint(value) {
  const out = [];
  for (; value > 0x7f; value >>>= 7) out.push((value & 0x7f) | 0x80);
  return [...out, value];
}

export function int(value) {
  const out = [];
  for (; value < -0x40 || value > 0x3f; value >>= 7) out.push((value & 0x7f) | 0x80);
  return [...out, value & 0x7f];
}
