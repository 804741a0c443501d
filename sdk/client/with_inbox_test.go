//go:build !js

package client_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// TestWithInbox reads the state while events arrive: it contains exactly those that were
// reported before.
func TestWithInbox(t *testing.T) {
	p := newPeer(t)
	a := newDevice(t, p, store.NewMemory()).connect()
	subscribe(t, a, "pubsub."+p.domain, "news")
	const n = 30
	failed := make(chan error, 1)
	go func() {
		for i := range n {
			if err := p.publish("news", fmt.Sprint(i), atomEntry); err != nil {
				failed <- err
				return
			}
		}
		failed <- nil
	}()
	for unseen := 0; unseen < n; {
		err := a.WithInbox(t.Context(), func(s pam.InboxState) {
			if unseen = s.Unseen; unseen != len(a.added()) {
				t.Errorf("the state has %d events, and %d were reported", unseen, len(a.added()))
			}
		})
		if err != nil || t.Failed() {
			t.Fatal(err)
		}
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.WithInbox(ended, func(pam.InboxState) { t.Error("called after the end of the context") }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
