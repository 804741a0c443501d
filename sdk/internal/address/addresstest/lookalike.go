// Package addresstest makes addresses that look like others, for tests.
package addresstest

import (
	"math/rand/v2"
	"strings"
)

// LookAlike writes a domain so that software may take it for the original, though
// RFC 7622 §3.2 does not allow it on the wire; sometimes only the case of ASCII
// letters differs, which it does allow.
func LookAlike(random *rand.Rand, domain string) string {
	for range 1 + random.IntN(2) {
		labels := strings.Split(domain, ".")
		i := random.IntN(len(labels))
		label := []rune(labels[i])
		at := random.IntN(len(label) + 1)
		insert := func(s string) string { return string(label[:at]) + s + string(label[at:]) }
		switch random.IntN(9) {
		case 0: // an A-label that no U-label leads to
			labels[i] = "xn--" + string(label) + "-"
		case 1: // characters that are mapped to nothing
			labels[i] = insert([]string{"\u00ad", "\u200b", "\u2060", "\ufeff", "\ufe0f", "\u034f"}[random.IntN(6)])
		case 2: // full-width letters
			for j, r := range label {
				if '!' <= r && r <= '~' && random.IntN(2) == 0 {
					label[j] = r + 0xfee0
				}
			}
			labels[i] = string(label)
		case 3: // letters in squares, circles and mathematical alphabets
			for j, r := range label {
				if 'a' <= r && r <= 'z' && random.IntN(3) == 0 {
					label[j] = r - 'a' + []rune{0x1f130, 0x24d0, 0x1d41a, 0x1d5ba}[random.IntN(4)]
				}
			}
			labels[i] = string(label)
		case 4: // a dot at the end
			return domain + []string{".", "\u3002", "\uff0e", "\uff61"}[random.IntN(4)]
		case 5: // other dots
			return strings.Replace(domain, ".", []string{"\u3002", "\uff0e", "\uff61"}[random.IntN(3)], 1)
		case 6: // an address in another form
			return strings.Replace(domain, "::1", []string{"0::1", "0:0:0:0:0:0:0:1", "::0001", "::0.0.0.1"}[random.IntN(4)], 1)
		case 7: // letters of other alphabets that are mapped
			labels[i] = strings.NewReplacer("k", "\u212a", "s", "\u017f", "ü", "Ü", "i", "\u2170").Replace(string(label))
		case 8: // the case of ASCII letters
			labels[i] = strings.ToUpper(labels[i][:1]) + labels[i][1:]
		}
		domain = strings.Join(labels, ".")
	}
	return domain
}
