//go:build js && wasm

// Package idna stands in for golang.org/x/net/idna in the program: see
// js/scripts/modules.mjs. It lets the host map and check domains (UTS #46), as for the
// host of a URL, and applies the stricter rules of golang.org/x/net. ASCII without
// A-labels never reaches the host.
//
// Hosts follow later versions of UTS #46. The test lists the differences.
package idna

import (
	"errors"
	"strings"
	"sync"
	"syscall/js"
	"unicode/utf8"

	"golang.org/x/text/secure/bidirule"
	"golang.org/x/text/unicode/bidi"
)

// Profile is a set of rules.
type Profile struct{}

// Display is the only profile.
var Display = &Profile{}

var errDomain = errors.New("idna: the domain is not valid")

const acePrefix = "xn--"

// ToUnicode returns the domain with U-labels, in the form that UTS #46 maps it to.
func (*Profile) ToUnicode(s string) (string, error) {
	lower, ascii, ok := lowerASCII(s)
	if !ok {
		return s, errDomain
	}
	if ascii && !strings.HasPrefix(lower, acePrefix) && !strings.Contains(lower, "."+acePrefix) {
		return lower, checkHyphens(lower)
	}
	mapped, err := toASCII(lower)
	if err != nil {
		return s, err
	}
	labels, encoded := strings.Split(mapped, "."), false
	for i, label := range labels {
		if rest, found := strings.CutPrefix(label, acePrefix); found {
			if labels[i], ok = decode(rest); !ok {
				return s, errDomain
			}
			encoded = true
		}
	}
	result := strings.Join(labels, ".")
	if encoded { // Chromium does not check the A-labels of a host in ASCII.
		if again, err := toASCII(result); err != nil || again != mapped {
			return s, errDomain
		}
	}
	// UTS #46 allows more ASCII than domains have, and these characters, which decompose to such.
	if _, _, ok := lowerASCII(result); !ok || strings.ContainsAny(result, "\u2260\u226e\u226f") {
		return s, errDomain
	}
	if leadingMark().Call("test", result).Bool() || !validBidi(result) {
		return s, errDomain // Not all hosts have checked this.
	}
	return result, checkHyphens(result)
}

// leadingMark finds a label that begins with a combining character.
var leadingMark = sync.OnceValue(func() js.Value {
	return js.Global().Get("RegExp").New(`(^|\.)\p{M}`, "u")
})

// validBidi reports whether each label satisfies the Bidi Rule (RFC 5893 §2), if the
// domain has a character that is written from right to left.
func validBidi(s string) bool {
	isBidi := false
	for i := 0; i < len(s); {
		p, size := bidi.LookupString(s[i:])
		switch p.Class() {
		case bidi.R, bidi.AL, bidi.AN:
			isBidi = true
		}
		i += max(size, 1)
	}
	if !isBidi {
		return true
	}
	for label := range strings.SplitSeq(s, ".") {
		if !bidirule.ValidString(label) {
			return false
		}
	}
	return true
}

// lowerASCII returns s with lower-case ASCII letters, and whether s is ASCII. ok reports
// whether it has only ASCII characters that domains may have.
func lowerASCII(s string) (lower string, ascii, ok bool) {
	ascii, ok = true, true
	b := []byte(s)
	for i, c := range b {
		switch {
		case c >= utf8.RuneSelf:
			ascii = false
		case 'A' <= c && c <= 'Z':
			b[i] = c + 'a' - 'A'
		case ('a' > c || c > 'z') && ('0' > c || c > '9') && c != '-' && c != '.':
			ok = false
		}
	}
	return string(b), ascii, ok
}

// checkHyphens checks where the labels of a domain have hyphens.
func checkHyphens(s string) error {
	for label := range strings.SplitSeq(s, ".") {
		if strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") || len(label) > 4 && label[2:4] == "--" {
			return errDomain
		}
	}
	return nil
}

var urls = sync.OnceValue(func() js.Value { return js.Global().Get("URL") })

// toASCII lets the host map a domain and encode its labels. A URL ignores a host that it
// cannot parse. The last label keeps it from taking the domain for an address of IPv4.
func toASCII(s string) (string, error) {
	const before, last = "before", ".x"
	url := urls().New("ws://" + before)
	url.Set("hostname", s+last)
	host := url.Get("hostname").String()
	if host == before || !strings.HasSuffix(host, last) {
		return "", errDomain
	}
	return strings.TrimSuffix(host, last), nil
}

// decode decodes what follows the prefix of an A-label (RFC 3492 §6.2).
func decode(encoded string) (string, bool) {
	const base, tmin, tmax, skew, damp = 36, 1, 26, 38, 700
	n, i, bias := 128, 0, 72
	var output []rune
	if end := strings.LastIndexByte(encoded, '-'); end >= 0 {
		output = []rune(encoded[:end])
		encoded = encoded[end+1:]
	}
	for encoded != "" {
		before := i
		for w, k := 1, base; ; k += base {
			if encoded == "" {
				return "", false
			}
			digit := strings.IndexByte("abcdefghijklmnopqrstuvwxyz0123456789", encoded[0])
			encoded = encoded[1:]
			t := min(max(k-bias, tmin), tmax)
			if i += digit * w; digit < 0 || i > 1<<31 {
				return "", false
			}
			if digit < t {
				break
			}
			if w *= base - t; w > 1<<31 {
				return "", false
			}
		}
		delta := (i - before) / 2
		if before == 0 {
			delta = i / damp
		}
		length := len(output) + 1
		delta += delta / length
		bias = 0
		for ; delta > (base-tmin)*tmax/2; bias += base {
			delta /= base - tmin
		}
		bias += (base - tmin + 1) * delta / (delta + skew)
		n += i / length
		i %= length
		if !utf8.ValidRune(rune(n)) || n > utf8.MaxRune || length > 1024 {
			return "", false
		}
		output = append(output, 0)
		copy(output[i+1:], output[i:])
		output[i] = rune(n)
		i++
	}
	return string(output), true
}
