package ip_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"net"

	"xmpp-pam/sdk/internal/ip"
)

func TestParseIP(t *testing.T) {
	count := map[bool]int{}
	for seed := range uint64(200_000) {
		random := rand.New(rand.NewPCG(seed, 0))
		separator, digits := ".", []string{"0", "1", "25", "255", "256", "01", "127", "", "a", "00", "1234", "\x10"}
		if random.IntN(2) == 0 {
			separator, digits = ":", []string{"0", "1", "25", "ffff", "", "", "10000", "g", "1.2.3.4", "127.0.0.1", "::", "FFFF", "%eth0", "\x10", "\x11", "-1", "+1"}
		}
		parts := make([]string, 1+random.IntN(8))
		for i := range parts {
			parts[i] = digits[random.IntN(1+random.IntN(len(digits)))]
		}
		s := strings.Join(parts, separator)
		if random.IntN(4) == 0 {
			s = "::ffff:" + s
		}
		if random.IntN(4) == 0 {
			s = []string{"2001:db8::1", "::", "::1", "127.0.0.1", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8", "1::8", "1:2:3:4:5:6:1.2.3.4"}[random.IntN(8)]
			at := random.IntN(len(s) + 1)
			s = s[:at] + []string{"", ":", ".", "0", "::", "1", "f", "%"}[random.IntN(8)] + s[min(len(s), at+random.IntN(2)):]
		}
		got, want := ip.ParseIP(s), net.ParseIP(s)
		if (got == nil) != (want == nil) || !bytes.Equal(got, want) || !bytes.Equal(got.To4(), want.To4()) || (got.To4() == nil) != (want.To4() == nil) || got.IsLoopback() != want.IsLoopback() {
			t.Fatalf("%q: %v, not %v", s, got, want)
		}
		count[want != nil]++
	}
	if count[true] < 1000 || count[false] < 1000 {
		t.Errorf("valid: %v", count)
	}
}
