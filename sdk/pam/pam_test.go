package pam

import "testing"

func TestKind(t *testing.T) {
	for service, want := range map[string]Kind{
		"pubsub.localhost": KindPubsub, "bob@localhost": KindPEP, "bob@localhost/phone": KindPEP, "pubsub.localhost/a@b": KindPubsub,
	} {
		if got := (Key{Service: service}).Kind(); got != want {
			t.Errorf("%s is of kind %s, want %s", service, got, want)
		}
	}
}
