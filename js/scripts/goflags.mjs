// How the program is built. Without inlining it is a twentieth smaller on the
// wire. Where inlining pays, in the runtime and the parser, it stays; with
// these exceptions random schedules of the sync machine run as fast as with
// all of it.
const inlined = [
  "runtime", "internal/runtime/...", "internal/abi", "internal/bytealg", "internal/byteorder", "internal/goarch",
  "xmpp-pam/sdk/element",
];

export const goFlags = ["-trimpath", "-buildvcs=false", "-gcflags=all=-l", ...inlined.map((pattern) => `-gcflags=${pattern}=`)];
