// Two rows of the matrix of tools, whose tools need no download. `make matrix` runs all of them.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { makeFolder, makeProject } from "../matrix/project.mjs";
import { compare, rows } from "../matrix/rows.mjs";
import { runRow, startShared } from "../matrix/visit.mjs";
import { missing } from "./lib/need.mjs";

const chosen = rows.filter(({ tool, run }) => ["esbuild, esm", "No tool, import map"].includes(`${tool}, ${run}`));

describe("the packed package", { skip: missing(), timeout: 120_000 }, () => {
  let made, shared;
  before(async () => {
    made = makeFolder();
    shared = await startShared();
  });
  after(async () => {
    await shared?.stop();
    made?.remove();
  });

  assert.equal(chosen.length, 2);
  for (const row of chosen) {
    test(`${row.tool}, ${row.run}`, async () => {
      assert.equal(compare(row, await runRow(row, makeProject(made, row, { bare: true }), shared)), "");
    });
  }
});
