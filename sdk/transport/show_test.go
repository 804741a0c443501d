package transport_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"xmpp-pam/sdk/internal/hostmeta"
	"xmpp-pam/sdk/transport"
)

func TestShow(t *testing.T) {
	for address, want := range map[string]string{
		"wss://example.org/ws":              "wss://example.org/ws",
		"wss://example.org:5443/a/b":        "wss://example.org:5443/a/b",
		"wss://example.org/ws?token=s3cret": "wss://example.org/ws?…",
		"wss://example.org?s3cret":          "wss://example.org?…",
		"wss://example.org/#s3cret?x":       "wss://example.org/#…",
		"wss://al:s3cret@example.org/":      "wss://…@example.org/",
		"wss://al:s3@cret@example.org/":     "wss://…@example.org/",
		"wss://al:s3/cret@example.org/?x":   "wss://…@example.org/?…",
		"al:s3cret@example.org":             "…@example.org",
		"wss:al:s3cret@example.org":         "…@example.org",
		"s3cret@x://example.org":            "…@x://example.org",
		"s3cret://@example.org":             "…@example.org",
		"@example.org":                      "…@example.org",
		"":                                  "",
	} {
		if got := transport.Show(address); got != want {
			t.Errorf("%q is shown as %q, want %q", address, got, want)
		}
	}
}

// TestShowHidesSecrets puts a secret wherever an address can have one.
func TestShowHidesSecrets(t *testing.T) {
	const secret = "s3cr3tTok3n"
	pieces := []string{"wss:", "//", "/", "\\", "?", "#", "@", ":", "host", "%3f", " ", "é", "&", "=", "[::1]", "."}
	for seed := range uint64(50_000) {
		random := rand.New(rand.NewPCG(seed, 0))
		some := func() (s string) {
			for range random.IntN(4) {
				s += pieces[random.IntN(len(pieces))]
			}
			return s
		}
		address := "wss://host/ws"
		switch random.IntN(3) {
		case 0:
			address += some() + "?" + some() + secret + some()
		case 1:
			address += some() + "#" + some() + secret + some()
		case 2:
			user := strings.NewReplacer("?", "", "#", "") // which end the authority (RFC 3986 §3.2)
			address = []string{"wss://", "WSS://", "ws://", ""}[random.IntN(4)] + user.Replace(some()+secret+some()) + "@" + some()
		}
		if shown := transport.Show(address); strings.Contains(shown, secret) || len(shown) > 210 {
			t.Fatalf("seed %d: %q is shown as %q", seed, address, shown)
		}
		if at, err := hostmeta.ParseEndpoint(address); err == nil && (strings.Contains(at.String(), secret) || !strings.HasPrefix(at.URL, "ws")) {
			t.Fatalf("seed %d: %q is shown as %q", seed, address, at)
		}
	}
}
