// How the program is built. Without inlining it is a twentieth smaller on the
// wire; where its time goes (parsing, maps, memory, crossing to JavaScript)
// inlining stays.
const inlined = ["runtime", "internal/runtime/...", "strings", "syscall/js", "xmpp-pam/sdk/element"];

export const goFlags = ["-trimpath", "-buildvcs=false", "-gcflags=all=-l", ...inlined.map((pattern) => `-gcflags=${pattern}=`)];
