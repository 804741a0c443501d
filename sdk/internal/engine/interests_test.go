package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"xmpp-pam/sdk/internal/inbox"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// TestInterestLimits checks interests that just keep the limits, and ones that do not.
func TestInterestLimits(t *testing.T) {
	many := func(n, size int) (list []pam.Interest) {
		for i := range n {
			list = append(list, pam.Interest{Node: fmt.Sprintf("%0*d", size, i)})
		}
		return list
	}
	long := strings.Repeat("x", maxInterest)
	for _, tt := range []struct {
		name string
		list []pam.Interest
		code pam.Code
	}{
		{"1000", slices.Repeat([]pam.Interest{{Payload: "urn:x"}}, 1000), ""},
		{"1001", slices.Repeat([]pam.Interest{{Payload: "urn:x"}}, 1001), pam.CodeBadOptions},
		{"a node of 4096 bytes", []pam.Interest{{Service: "pubsub.example.org", Node: long}}, ""},
		{"a node of 4097 bytes", []pam.Interest{{Service: "pubsub.example.org", Node: long + "x"}}, pam.CodeBadOptions},
		{"a payload of 4096 bytes", []pam.Interest{{Payload: long}}, ""},
		{"a payload of 4097 bytes", []pam.Interest{{Payload: long + "x"}}, pam.CodeBadOptions},
		{"256 personal nodes", many(256, 3), ""},
		{"257 personal nodes", many(257, 3), pam.CodeBadOptions},
		{"257 nodes of services", append(many(256, 3), pam.Interest{Service: "pubsub.example.org", Node: "n"}), ""},
		{"16384 bytes", many(16, 1024), ""},
		{"16385 bytes", append(many(15, 1024), many(1, 1025)...), pam.CodeBadOptions},
		{"a space", []pam.Interest{{Node: "a b"}}, ""},
		{"a tab", []pam.Interest{{Node: "a\tb"}}, pam.CodeBadOptions},
		{"a character that is none", []pam.Interest{{Payload: "a\xffb"}}, pam.CodeBadOptions},
		{"a full JID", []pam.Interest{{Service: "alice@example.org/x"}}, pam.CodeBadJID},
		{"no JID", []pam.Interest{{Service: "a@b@c"}}, pam.CodeBadJID},
	} {
		checked, err := CheckInterests(tt.list)
		if err == nil && (tt.code != "" || len(checked) != len(tt.list)) || err != nil && err.Code != tt.code {
			t.Errorf("%s: %d interests, %v", tt.name, len(checked), err)
		}
	}
	if all, err := CheckInterests(nil); all != nil || err != nil || filters(all) != nil {
		t.Errorf("no interests, which means all: %v, %v", all, err)
	}
	if none, err := CheckInterests([]pam.Interest{}); none == nil || err != nil || filters(none) == nil {
		t.Errorf("an empty list, which means none: %v, %v", none, err)
	}
}

// TestInterestMeans checks what becomes of interests.
func TestInterestMeans(t *testing.T) {
	list, err := CheckInterests([]pam.Interest{
		{Service: "PubSub.Example.ORG", Node: "a", Prefix: true, Payload: "urn:x"}, {Service: "pubsub.example.org", Node: "b"},
		{Service: "Bob@example.org", Node: "c"}, {Node: "d"}, {Node: "d", Payload: "urn:x"}, {Node: "e", Prefix: true}, {Node: "f<"}, {Payload: "urn:y"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(notifyNodes(list)); got != "[c d]" {
		t.Errorf("notified of %s", got)
	}
	got := filters(list)
	if got[0] != (inbox.Filter{Service: "pubsub.example.org", Node: "a", Prefix: true, Namespace: "urn:x"}) || got[2].Service != "bob@example.org" || len(got) != len(list) {
		t.Errorf("filters %+v", got)
	}
}

// TestContains compares records with the one that a commit expects.
func TestContains(t *testing.T) {
	records := []store.Record{{Key: "a", Value: []byte("1")}, {Key: "b", Value: []byte("2")}, {Key: "d", Value: []byte{}}}
	for _, tt := range []struct {
		key   string
		value []byte
		want  bool
	}{
		{"a", []byte("1"), true}, {"b", []byte("2"), true}, {"a", []byte("2"), false}, {"c", []byte("1"), false},
		{"a", nil, false}, {"c", nil, true}, {"d", []byte{}, true}, {"d", nil, false},
	} {
		if got := contains(records, store.Record{Key: tt.key, Value: tt.value}); got != tt.want {
			t.Errorf("%s=%s: %v", tt.key, tt.value, got)
		}
	}
}
