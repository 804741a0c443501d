// The browsers of these tests: Firefox ESR and WebKitGTK, as Debian packages them.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { find, report } from "../../browser/lib/need.mjs";
import { startFirefox } from "./firefox.mjs";
import { startWebKit } from "./webkit.mjs";

const firefox = process.env.FIREFOX ?? find("firefox-esr") ?? find("firefox");
const webkit = { driver: find("WebKitWebDriver"), display: find("Xvfb"), browser: findMiniBrowser() };

/** The browsers by name. `skip` says why one cannot be tested here; with CI=true that is an error. */
export const browsers = {
  firefox: {
    skip: report(firefox ? [] : ["Firefox (install the package firefox-esr, or set FIREFOX to its path)"]),
    start: () => startFirefox(firefox),
    keepsProgram: true, // as long as a tab uses it
  },
  webkit: {
    skip: report([
      ...(webkit.driver && webkit.browser ? [] : ["WebKitGTK (install the package webkit2gtk-driver)"]),
      ...(webkit.display ? [] : ["Xvfb (install the package xvfb)"]),
    ]),
    start: () => startWebKit(webkit),
    keepsProgram: false, // it may start the SharedWorker anew when a tab is closed
  },
};

/** Returns the path of WebKitGTK's browser, which is beside the library. */
function findMiniBrowser() {
  const folders = ["/usr/lib", "/usr/libexec", "/usr/lib64"].filter(existsSync);
  const candidates = folders.flatMap((folder) => [folder, ...readdirSync(folder).map((name) => join(folder, name))]);
  return candidates.flatMap((folder) => ["webkitgtk-6.0", "webkit2gtk-4.1", "webkit2gtk-4.0"].map((name) => join(folder, name, "MiniBrowser"))).find(existsSync);
}
