package transport

import "strings"

// Show returns an address in a form that may appear in errors, states and logs. It
// replaces the parts of a URL, or of a malformed one, that may be secret with "…":
// the user, and all after '?' or '#'. Every address in such a text must have passed
// through Show.
func Show(address string) string {
	shown, rest := address, ""
	if i := strings.IndexAny(shown, "?#"); i >= 0 {
		shown, rest = shown[:i+1], "…"
	}
	if i := strings.LastIndexByte(shown, '@'); i >= 0 {
		scheme := ""
		for _, s := range []string{"wss://", "ws://"} {
			if strings.HasPrefix(strings.ToLower(shown), s) {
				scheme = s
			}
		}
		shown = scheme + "…" + shown[i:]
	}
	return cut(shown + rest)
}

// cut truncates s to a length that fits into a sentence.
func cut(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
