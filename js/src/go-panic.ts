const begins = /^goroutine \d+ .*\[.*\]:$/; // no line of a panic's value does: the runtime indents all but its first
const place = /^\t\S+:\d+(?: \+0x[\da-f]+)?$/;
const own = new RegExp("^panic: runtime error: (?:index out of range|slice bounds out of range"
  + "|invalid memory address or nil pointer dereference|integer divide by zero)|^fatal error: .*");

/**
 * What may be shown of what the Go runtime wrote to stderr before it ended: which kind of error it was, and where it
 * happened. The value of a panic and the arguments of functions may be a user's data.
 */
export function panicTrace(stderr: string): string {
  const lines = stderr.split("\n");
  const start = lines.findIndex((line) => begins.test(line));
  if (start < 0) return panicKind(stderr);
  const stack = lines.slice(start).flatMap((line, i, all) => {
    if (begins.test(line) || place.test(line)) return [line];
    return place.test(all[i + 1] ?? "") ? [line.replace(/\([^()*]*\)(?=$| in goroutine)/, "(…)")] : [];
  });
  return [panicKind(stderr), ...stack].filter(Boolean).join("\n");
}

/** The kind of error alone. A panic's value may begin as the runtime's own errors do: only known words are shown. */
export function panicKind(stderr: string): string {
  for (const line of stderr.split("\n")) {
    if (begins.test(line)) break;
    const words = own.exec(line)?.[0] ?? (line.startsWith("panic: ") ? "panic: (a value that is not shown)" : "");
    if (words) return words;
  }
  return "";
}
