const begins = /^goroutine \d+ .*\[.*\]:$/; // no line of a panic's value does: the runtime indents all but its first
const place = /^\t\S+:\d+(?: \+0x[\da-f]+)?$/;
const own = /^panic: runtime error: (?:index out of range|slice bounds out of range|invalid memory address or nil pointer dereference|integer divide by zero)|^fatal error: .*/;

/**
 * What may be shown of the Go runtime's last words: what kind of error it was, and where it happened. The value of a panic
 * and the arguments of functions may be somebody's data.
 */
export function trace(complaint: string): string {
  const lines = complaint.split("\n");
  const start = lines.findIndex((line) => begins.test(line));
  if (start < 0) return kind(complaint);
  const stack = lines.slice(start).flatMap((line, i, all) => {
    if (begins.test(line) || place.test(line)) return [line];
    return place.test(all[i + 1] ?? "") ? [line.replace(/\([^()*]*\)(?=$| in goroutine)/, "(…)")] : [];
  });
  return [kind(complaint), ...stack].filter(Boolean).join("\n");
}

/** The kind of error alone. A panic's value may begin as the runtime's own errors do: only known words are shown. */
export function kind(complaint: string): string {
  for (const line of complaint.split("\n")) {
    if (begins.test(line)) break;
    const words = own.exec(line)?.[0] ?? (line.startsWith("panic: ") ? "panic: (a value that is not shown)" : "");
    if (words) return words;
  }
  return "";
}
