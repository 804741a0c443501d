const begins = /^(?:goroutine \d+ .*\[.*\]|runtime stack):$/; // cannot match within a panic's value, because the runtime indents its further lines
const frame = /^\t\S+:\d+(?: \+0x[\da-f]+)? fp=0x[\da-f]+ sp=0x[\da-f]+ (pc=0x[\da-f]+)$/;
const own = new RegExp("^panic: runtime error: (?:index out of range|slice bounds out of range"
  + "|invalid memory address or nil pointer dereference|integer divide by zero)|^fatal error: .*");

/**
 * Returns the part of the Go runtime's final output on stderr that may be shown: the kind of the error and its stack, or
 * the stacks of all goroutines after a fatal error. A stack consists of addresses, because the build removes the names of
 * functions from the program. The value of a panic and the arguments of functions are left out, because they may contain a
 * user's data.
 */
export function panicTrace(stderr: string): string {
  const kind = panicKind(stderr);
  const lines = stderr.split("\n");
  const start = lines.findIndex((line) => begins.test(line));
  if (start < 0) return kind;
  const end = lines.indexOf("", start); // of the first goroutine
  const stack = lines.slice(start, end < 0 || kind.startsWith("fatal") ? undefined : end).flatMap((line) => {
    if (begins.test(line)) return [line.replace(/ gp=.*? \[/, " [")];
    const pc = frame.exec(line)?.[1];
    return pc === undefined ? [] : [`\t${pc}`];
  });
  return [kind, ...stack].filter(Boolean).join("\n");
}

/** Returns only the kind of the error. A panic's value may look like a runtime error, so only known texts are returned. */
export function panicKind(stderr: string): string {
  for (const line of stderr.split("\n")) {
    if (begins.test(line)) break;
    const words = own.exec(line)?.[0] ?? (line.startsWith("panic: ") ? "panic: (a value that is not shown)" : "");
    if (words) return words;
  }
  return "";
}
