// The flags of the build. Without inlining the compressed program is 5 % smaller.
// The runtime, the parser and the code that writes texts for the page are built
// with inlining. Random schedules of the sync machine then take about 10 % longer
// than with inlining everywhere; without any inlining they take 50 % longer.
const inlined = [
  "runtime", "internal/runtime/maps", "internal/abi", "xmpp-pam/sdk/internal/element", "xmpp-pam/wasm/jstext",
];

export const goFlags = [
  "-trimpath", "-buildvcs=false", "-gcflags=all=-l", ...inlined.map((pattern) => `-gcflags=${pattern}=`),
];
