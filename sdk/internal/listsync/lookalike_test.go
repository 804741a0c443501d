package listsync

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"xmpp-pam/sdk/internal/address/addresstest"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// TestLookalikes checks that a domain that only looks like the account's is not
// accepted as the sender of a notify or as the subscriber of a row, and is not mapped to
// another service.
func TestLookalikes(t *testing.T) {
	fakes := 0
	for seed := range uint64(5000) {
		random := rand.New(rand.NewPCG(seed, 0))
		domain := addresstest.LookAlike(random, "denmark.lit")
		service := addresstest.LookAlike(random, "pubsub.denmark.lit")
		same := strings.EqualFold(domain, "denmark.lit") && isASCII(domain)
		sameService := strings.EqualFold(service, "pubsub.denmark.lit") && isASCII(service)
		if !same {
			fakes++
		}
		r := reader()
		row := func(service, subscriber string) *element.Element {
			return element.New(ns.Pubsub, "subscription").Set("node", "n").Set("service", service).Set("jid", subscriber).Set("subscription", "subscribed")
		}
		for _, from := range []string{domain, "francisco@" + domain, "Francisco@" + domain} {
			received, err := r.ParseNotify(element.New(ns.Client, "message").Set("from", from).Add(element.New(ns.PAM, "notify").Add(row("pubsub.denmark.lit", testAccount))))
			if (len(received) == 1) != same || errors.Is(err, ErrForged) == same {
				t.Fatalf("seed %d: from %+q: %d heard, %v", seed, from, len(received), err)
			}
		}
		list := element.New(ns.Client, "iq").Set("type", "result").Add(element.New(ns.PAM, "subscriptions").Add(
			row("pubsub.denmark.lit", "francisco@"+domain), row(service, testAccount), row(service, "francisco@"+domain)))
		result, err := r.ParseListResult(list)
		want := 0
		if same || sameService {
			want = 1
		}
		for _, s := range result.List {
			if s.Service != "pubsub.denmark.lit" || s.JID != testAccount {
				t.Fatalf("seed %d: %+q, %+q: %+v, %v", seed, domain, service, s, err)
			}
		}
		if len(result.List) != want || errors.Is(err, ErrRow) == (same && sameService) {
			t.Fatalf("seed %d: %+q, %+q: %d rows, %v", seed, domain, service, len(result.List), err)
		}
	}
	if fakes < 3000 {
		t.Errorf("only %d domains are not the account's", fakes)
	}
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}
