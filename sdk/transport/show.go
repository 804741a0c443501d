package transport

import "strings"

// Show writes an address for people: an error, a state, a log. It leaves out what
// may be secret in a URL or in what somebody took for one, the user and all after
// '?' or '#', and puts "…" in its place. No text may hold an address that did not
// go through it.
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

// cut shortens what a server sent to what fits into a sentence.
func cut(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
