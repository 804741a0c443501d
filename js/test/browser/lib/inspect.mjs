// Inspects pages as a browser and axe-core see them: accessibility, layout shifts, the console.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const axe = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Records everything on the consoles of a page and its frames, uncaught errors, and layout shifts without an input. */
export async function record(page) {
  page.messages = [];
  page.on("console", (m) => page.messages.push(`${m.type()}: ${m.text()}`));
  page.on("pageerror", (e) => page.messages.push(String(e)));
  await page.addInitScript(() => {
    globalThis.shifts = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (!entry.hadRecentInput) shifts.push(`${document.title} ${entry.value} ${entry.sources.map(({ node, previousRect: p, currentRect: c }) => `${node?.nodeName}#${node?.id}.${node?.className} ${p.x} ${p.y} ${p.width} ${p.height} → ${c.x} ${c.y} ${c.width} ${c.height}`)}`);
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
}

/** Returns the layout shifts of a page and its frames. */
export async function shiftsOf(page) {
  return (await Promise.all(page.frames().map((frame) => frame.evaluate(() => globalThis.shifts)))).flat();
}

/** Returns what axe-core objects to in a page and its frames, WCAG 2.2 AA and good practice, each as a line. */
export async function accessibilityOf(page) {
  const found = [];
  for (const frame of page.frames()) {
    const { violations } = await frame.evaluate(async ([axe, tags]) => {
      if (!globalThis.axe) (0, eval)(axe);
      return globalThis.axe.run(document, { runOnly: tags, iframes: false, preload: false, resultTypes: ["violations"] });
    }, [axe, tags]);
    for (const { id, nodes } of violations) found.push(...nodes.map((n) => `${new URL(frame.url()).pathname} ${id}: ${n.target} ${n.failureSummary.replace(/\s+/g, " ")}`));
  }
  return found;
}
