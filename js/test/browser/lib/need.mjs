// The requirements of the browser tests, and the messages if one is missing.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../../../", import.meta.url));
/** The built package. PAM_DIST names another build of it. */
export const dist = process.env.PAM_DIST ?? join(root, "js/dist");

/** Returns the path of a program. */
export const find = (name) => [...(process.env.PATH ?? "").split(delimiter), "/usr/bin", "/usr/sbin"].map((dir) => join(dir, name)).find(existsSync);

export const chromiumPath = process.env.CHROMIUM ?? find("chromium") ?? find("google-chrome");

/**
 * Returns why tests that need Chromium and the named server cannot run here, or false if they can. With CI=true a missing
 * program is an error, so that skipped tests do not look like successful ones.
 */
export function missing(server = "mem") {
  const lacking = [];
  if (!chromiumPath || !existsSync(chromiumPath)) lacking.push("Chromium (install the package chromium, or set CHROMIUM to its path)");
  if (server === "prosody" && !find("prosody")) lacking.push("Prosody (install the package prosody)");
  return report(lacking);
}

/** Says what is missing. */
export function report(lacking) {
  if (lacking.length === 0) return false;
  const text = `missing: ${lacking.join(" and ")}`;
  if (process.env.CI === "true") throw new Error(text);
  console.error(`\n*** SKIPPED, NOTHING WAS TESTED: ${text} ***\n`);
  return text;
}
