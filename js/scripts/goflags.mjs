import { writeModules } from "./modules.mjs";

// The flags of the build. Without inlining the compressed program is smaller.
// The runtime and the packages that process each row of a list are built with
// inlining. Random schedules of the sync machine then take about 15 % longer than with
// inlining everywhere; without any inlining they take more than twice as long. Package
// main passes the rows to wasm/jstext: it writes 10,000 of them in the same time without.
const inlined = [
  "runtime", "internal/runtime/maps", "internal/abi",
  "xmpp-pam/sdk/internal/element", "xmpp-pam/sdk/internal/listsync", "xmpp-pam/wasm/jstext",
];

/**
 * Returns the flags for the program for browsers, or for that for Node.js, which also has the store in files. It writes the
 * go.mod that the first flag names.
 */
export const goFlags = (target = "browser") => [
  `-modfile=${writeModules()}`, ...(target === "browser" ? ["-tags=browser"] : []), "-trimpath", "-buildvcs=false",
  "-gcflags=all=-l", ...inlined.map((pattern) => `-gcflags=${pattern}=`),
];
