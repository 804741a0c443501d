/**
 * What may be shown of the Go runtime's last words: its own errors and where they happened. The value of a panic and the
 * arguments of functions may be somebody's data.
 */
export function trace(complaint: string): string {
  const lines = complaint.split("\n");
  const place = /^\t\S+:\d+(?: \+0x[\da-f]+)?$/;
  return lines.flatMap((line, i) => {
    if (/^(?:panic: runtime error|fatal error): |^goroutine \d+ .*\[.*\]:$/.test(line) || place.test(line)) return [line];
    if (place.test(lines[i + 1] ?? "")) return [line.replace(/\([^()*]*\)(?=$| in goroutine)/, "(…)")];
    return line.startsWith("panic: ") ? ["panic: (a value that is not shown)"] : [];
  }).join("\n");
}
