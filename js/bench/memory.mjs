// make bench-memory: memory of tabs that share a program, in proportional set size (PSS) of all processes of Chromium.
//
//	node js/bench/memory.mjs [--tabs 5]
//
// One run measures one tab and several, each with the package imported but unused, then connected. The ratio compares what
// the connected tabs need in addition.

import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openProfile, removeProfile } from "../test/browser/lib/chromium.mjs";
import { startDemo } from "../test/browser/lib/demo.mjs";
import { makeClient, socketOf, startLab } from "../test/browser/lib/lab.mjs";

const { values } = parseArgs({ options: { tabs: { type: "string", default: "5" } } });
const many = Number(values.tabs);
const [demo, lab] = await Promise.all([startDemo("mem"), startLab()]);
const service = socketOf(await demo.device("Phone"));
try {
  console.log("MiB that connected tabs need above the same tabs with the package imported but unused:\n");
  const more = {};
  for (const tabs of ["shared", "independent"]) {
    for (const n of [1, many]) more[n] = await connected(n, tabs) - await connected(n, undefined);
    console.log(`${tabs.padEnd(12)} 1 tab: ${more[1].toFixed(0).padStart(4)}   ${many} tabs: ${more[many].toFixed(0).padStart(4)}   ratio ${(more[many] / more[1]).toFixed(2)}`);
  }
} finally {
  await Promise.all([demo.stop(), lab.stop()]);
}

/** Returns the memory of a browser with tabs, whose clients are connected if `tabs` is given. */
async function connected(n, tabs) {
  const profile = mkdtempSync(join(tmpdir(), "xmpp-pam-memory-"));
  const browser = await openProfile(profile);
  try {
    for (let i = 0; i < n; i++) {
      const page = await browser.context.newPage();
      await page.goto(lab.url);
      if (tabs) {
        await makeClient(page, service, { tabs, inspector: false });
        await page.evaluate(() => client.connect().then(() => undefined));
      } else {
        await page.evaluate(() => import("/pkg/index.js").then(() => undefined));
      }
    }
    await sleep(3000); // until the start-up is over
    return proportional(profile);
  } finally {
    await browser.kill();
    await removeProfile(profile);
  }
}

/** Returns the PSS of the processes of the browser with this profile, in MiB. */
function proportional(profile) {
  const processes = new Map(); // pid → {parent, command}
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = /\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))[1];
      processes.set(pid, { parent, command: readFileSync(`/proc/${pid}/cmdline`, "utf8") });
    } catch { /* it has ended */ }
  }
  const mine = (pid) => {
    const found = processes.get(pid);
    return found !== undefined && (found.command.includes(profile) || mine(found.parent));
  };
  let sum = 0;
  for (const pid of processes.keys()) {
    if (!mine(pid)) continue;
    try {
      sum += Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))[1]);
    } catch { /* it has ended */ }
  }
  return sum / 1024;
}
