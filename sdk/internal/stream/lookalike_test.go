package stream_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"xmpp-pam/sdk/internal/address/addresstest"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/stream"
)

// TestLookalikes checks that a server whose domain only looks like the account's is
// another one, and no stanza comes from such a domain.
func TestLookalikes(t *testing.T) {
	good := goodInputs(t)
	fakes := 0
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 0))
		domain := addresstest.LookAlike(random, "example.org")
		if strings.ToLower(domain) == "example.org" {
			continue
		}
		fakes++
		for _, where := range []string{"from='example.org'", "<jid>user@example.org/r1</jid>"} {
			s, err := stream.New(config())
			if err != nil {
				t.Fatal(err)
			}
			bound, changed := false, false
			for _, in := range good {
				if m, ok := in.(stream.Message); ok && !changed && strings.Contains(m.Text, where) {
					in, changed = stream.Message{Text: strings.Replace(m.Text, "example.org", domain, 1)}, true
				}
				for _, out := range s.Step(start, in) {
					_, ok := out.(stream.Bound)
					bound = bound || ok
				}
			}
			if bound || !changed {
				t.Fatalf("seed %d: %+q in %s was taken for the account's domain", seed, domain, where)
			}
		}
		s := session(t)
		from := fmt.Sprintf("user@%s/x", domain)
		for _, out := range s.Step(start, stream.Message{Text: element.New(ns.Client, "message").Set("from", from).String()}) {
			if _, ok := out.(stream.Dropped); !ok {
				t.Fatalf("seed %d: a message from %+q became %#v", seed, from, out)
			}
		}
	}
	if fakes < 1200 {
		t.Errorf("only %d look-alikes", fakes)
	}
}
