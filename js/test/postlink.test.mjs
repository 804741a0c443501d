// The step after Go's linker must not change the initial memory of the program.

import assert from "node:assert/strict";
import { test } from "node:test";
import { joinData } from "../scripts/postlink.mjs";
import { generator } from "./browser/lib/random.mjs";

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);

/** Encodes a number as WebAssembly does (LEB128). The highest bit of a signed number is its sign. */
function leb(value, signed = false) {
  const out = [];
  for (; value > (signed ? 0x3f : 0x7f); value >>>= 7) out.push((value & 0x7f) | 0x80);
  return [...out, value];
}

const section = (id, bytes) => [id, ...leb(bytes.length), ...bytes];
const segment = ({ offset, bytes }) => [0, 0x41, ...leb(offset, true), 0x0b, ...leb(bytes.length), ...bytes];

/** Builds a module with these data segments, which exports three pages of memory as mem. */
const moduleOf = (segments) => Buffer.from([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  ...section(5, [1, 0, 3]),
  ...section(7, [1, 3, 0x6d, 0x65, 0x6d, 2, 0]),
  ...section(11, [...leb(segments.length), ...segments.flatMap(segment)]),
  ...section(0, [1, 0x78, 7]),
]);

const memory = (bytes) => Buffer.from(new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.mem.buffer);
const count = (bytes) => {
  const at = 22; // the offset of the data section
  const body = bytes.subarray(at + 1);
  return body[body.findIndex((b) => b < 0x80) + 1];
};

test(`the memory is the same, in at most as many segments, SEED=${seed}`, () => {
  const random = generator(seed);
  for (let round = 0; round < 300; round++) {
    const segments = [];
    for (let offset = random.below(9); segments.length < 1 + random.below(60) && offset < 190_000;) {
      const bytes = Array.from({ length: random.below(40) }, () => random.below(256));
      segments.push({ offset, bytes });
      offset += bytes.length + random.below(random.below(10) ? 70 : 20_000);
    }
    segments.sort(() => random.below(3) - 1);
    const before = moduleOf(segments);
    const after = joinData(before);
    assert.ok(memory(after).equals(memory(before)), `round ${round}`);
    assert.ok(after.length <= before.length + 64 * segments.length);
    assert.deepEqual(after.subarray(-5), before.subarray(-5), "other sections stay");
  }
});

test("segments up to 64 bytes apart are joined", () => {
  const apart = (gap) => count(joinData(moduleOf([{ offset: 8, bytes: [1, 2] }, { offset: 10 + gap, bytes: [3] }])));
  assert.deepEqual([0, 1, 63, 64, 65, 1000].map(apart), [1, 1, 1, 1, 2, 2]);
});

test("forms that the linker does not write are rejected", () => {
  assert.throws(() => joinData(moduleOf([{ offset: 8, bytes: [1, 2, 3] }, { offset: 10, bytes: [4] }])), /overlap/);
  const passive = moduleOf([{ offset: 8, bytes: [1] }]);
  passive[22 + 3] = 1;
  assert.throws(() => joinData(passive), /unknown kind/);
});
