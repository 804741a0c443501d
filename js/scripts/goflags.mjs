// How the program is built. Without inlining it is a twentieth smaller on the
// wire. Where inlining pays, in the runtime and the parser, it stays; with
// these exceptions random schedules of the sync machine run as fast as with
// all of it.
const inlined = ["runtime", "internal/runtime/maps", "internal/abi", "xmpp-pam/sdk/element"];

export const goFlags = ["-trimpath", "-buildvcs=false", "-gcflags=all=-l", ...inlined.map((pattern) => `-gcflags=${pattern}=`)];
