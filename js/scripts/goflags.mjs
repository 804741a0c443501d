// How the program is built. Without inlining it is a twentieth smaller on the
// wire. Where inlining pays, in the runtime, in the parser and in what writes
// texts for the page, it stays: random schedules of the sync machine then take
// about a tenth longer than with all of it, and half as long again with none.
const inlined = [
  "runtime", "internal/runtime/maps", "internal/abi", "xmpp-pam/sdk/internal/element", "xmpp-pam/wasm/jstext",
];

export const goFlags = [
  "-trimpath", "-buildvcs=false", "-gcflags=all=-l", ...inlined.map((pattern) => `-gcflags=${pattern}=`),
];
