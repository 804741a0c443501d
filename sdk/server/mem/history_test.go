//go:build !js

package mem

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestHistoryIsBounded(t *testing.T) {
	r := newRig(t, Config{History: 2})
	p := r.joined(t, "bob", "a")
	var versions []string
	for _, n := range []string{"a", "b", "c"} {
		if err := r.CreateNode(n, ""); err != nil {
			t.Fatal(err)
		}
		_, v := r.Subscriptions("bob")
		versions = append(versions, v)
		p.send(subscribePAM("s", "pubsub.localhost", n))
		p.want("<notify", "type='result'")
	}
	p.send(listSince(versions[1]))
	p.want("<notify node='b'", "<notify node='c'", "type='result' id='l' to='bob@localhost/a'/>")
	p.send(listSince(versions[0]))
	p.want("<subscriptions xmlns='urn:xmpp:pam:0' ver=")
	if list, ok := r.SubscriptionsAt("bob", versions[0]); !ok || len(list) != 0 {
		t.Errorf("%v %v", list, ok)
	}
}

// TestDelta checks deltas of random histories: a delta from any version, applied to the list at that version, gives the current list; it
// contains each key once; and a client that stops after any notify and requests the list with its version gets the same list.
func TestDelta(t *testing.T) {
	s, err := New(Config{Accounts: map[string]string{"bob": "x"}})
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 376))
		s.accounts["bob@localhost"].pam = newPAMList()
		svc := newService(s.pubsubJID(), "", 256)
		s.services[svc.jid] = svc
		c := &session{srv: s, account: s.accounts["bob@localhost"], name: "bob@localhost/a", binding: binding{available: true}, wake: make(chan struct{}, 1)}
		bob, _ := parseJID("bob@localhost/a")
		for range 5 + rnd.IntN(20) {
			name := string(rune('a' + rnd.IntN(4)))
			op, n := el(nsPubsub, "subscribe", "node", name, "jid", "bob@localhost"), svc.nodes[name]
			switch {
			case n == nil:
				s.create(svc, name, "", nil)
			case rnd.IntN(6) == 0:
				s.deleteNode(n, "")
				continue
			case rnd.IntN(2) == 0:
				op.local = "unsubscribe"
			}
			s.changePAM(request{from: bob, sender: c, payload: el(nsPAM, "pam", "jid", svc.jid).with(op)})
		}
		want, now := s.Subscriptions("bob")
		for start, version := range s.accounts["bob@localhost"].pam.versions {
			list, _ := s.SubscriptionsAt("bob", version)
			for version != now {
				c.queue = nil
				if list, err := s.listPAM(request{from: bob, sender: c, payload: el(nsPAM, "subscriptions", "ver", version)}); list != nil || err != nil {
					t.Fatalf("seed %d: no delta from version %d", seed, start)
				}
				seen := map[Subscription]bool{}
				for _, f := range c.queue[:1+rnd.IntN(len(c.queue))] { // the rest is lost
					e, perr := parse([]byte(f.XML))
					if perr != nil {
						t.Fatal(perr)
					}
					note := e.child(nsPAM, "notify")
					x := note.child(nsPubsub, "subscription")
					change := Subscription{note.get("service"), x.get("node"), x.get("jid"), x.get("subid"), x.get("subscription")}
					if seen[change.key()] {
						t.Fatalf("seed %d: %v is sent twice", seed, change)
					}
					seen[change.key()] = true
					list = slices.DeleteFunc(list, func(o Subscription) bool { return o.key() == change.key() })
					if change.State != "none" {
						list = append(list, change)
					}
					version = note.get("ver")
				}
			}
			if !sameSet(list, want) {
				t.Fatalf("seed %d from version %d:\n got %v\nwant %v", seed, start, list, want)
			}
		}
	}
}

func sameSet(a, b []Subscription) bool {
	sort := func(l []Subscription) []Subscription {
		l = slices.Clone(l)
		slices.SortFunc(l, func(x, y Subscription) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
		return l
	}
	return slices.Equal(sort(a), sort(b))
}
