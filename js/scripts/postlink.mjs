// Rewrites the program that Go's linker wrote, so that its compressed size is smaller.

const section = { data: 11, dataCount: 12 };

/**
 * Joins the data segments that Go's linker writes. The linker starts a new segment at every short run of zeros, and the
 * headers of the segments take a twelfth of the compressed program. Memory is initially zero, so writing the zeros of a gap
 * changes nothing. Segments more than `gap` bytes apart are not joined.
 */
export function joinData(program, gap = 64) {
  const out = [program.subarray(0, 8)];
  for (let at = 8; at < program.length;) {
    const id = program[at];
    const size = uint(program, at + 1);
    const end = size.next + size.value;
    if (id === section.dataCount) throw new Error("postlink: the program counts its data segments");
    if (id === section.data) out.push(encode(id, join(segments(program, size.next), gap)));
    else out.push(program.subarray(at, end));
    at = end;
  }
  return Buffer.concat(out);
}

/** Returns the data segments of a section with their offsets. It throws for a form that Go's linker does not write. */
function segments(program, start) {
  const count = uint(program, start);
  const found = [];
  let at = count.next;
  for (let i = 0; i < count.value; i++) {
    // A segment of memory 0 with a constant offset: i32.const n, end.
    if (program[at] !== 0 || program[at + 1] !== 0x41) throw new Error("postlink: a data segment of an unknown kind");
    const offset = int(program, at + 2);
    if (program[offset.next] !== 0x0b) throw new Error("postlink: an offset that is no constant");
    const size = uint(program, offset.next + 1);
    at = size.next + size.value;
    found.push({ offset: offset.value, bytes: program.subarray(size.next, at) });
  }
  return found;
}

function join(pieces, gap) {
  const joined = [];
  pieces.sort((a, b) => a.offset - b.offset || a.bytes.length - b.bytes.length); // no two overlap, so any order is correct
  for (const piece of pieces) {
    const last = joined.at(-1);
    const zeros = last === undefined ? Infinity : piece.offset - last.end;
    if (zeros < 0) throw new Error("postlink: data segments that overlap");
    if (zeros > gap) joined.push({ offset: piece.offset, parts: [piece.bytes], end: piece.offset + piece.bytes.length });
    else {
      last.parts.push(Buffer.alloc(zeros), piece.bytes);
      last.end = piece.offset + piece.bytes.length;
    }
  }
  const bodies = joined.flatMap(({ offset, parts }) => {
    const bytes = Buffer.concat(parts);
    return [Buffer.from([0, 0x41, ...intBytes(offset), 0x0b, ...uintBytes(bytes.length)]), bytes];
  });
  return Buffer.concat([Buffer.from(uintBytes(joined.length)), ...bodies]);
}

const encode = (id, body) => Buffer.concat([Buffer.from([id, ...uintBytes(body.length)]), body]);

// LEB128, the encoding of 32-bit numbers in WebAssembly.

function uint(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value: value >>> 0, next: at };
  }
}

function int(bytes, at) {
  let value = 0;
  for (let shift = 0; ;) {
    const byte = bytes[at++];
    value |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte < 0x80) return { value: shift < 32 && byte & 0x40 ? value | (-1 << shift) : value, next: at };
  }
}

function uintBytes(value) {
  const out = [];
  for (; value > 0x7f; value >>>= 7) out.push((value & 0x7f) | 0x80);
  return [...out, value];
}

function intBytes(value) {
  const out = [];
  for (; value < -0x40 || value > 0x3f; value >>= 7) out.push((value & 0x7f) | 0x80);
  return [...out, value & 0x7f];
}
