package prosody

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestRandomService simulates services that send random stanzas at random times. The list that a device keeps
// from notifies, and the one that it builds from a delta of any age, must equal the full list, which may have
// no row, and no more rows, than the account has requested.
func TestRandomService(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts})
	s.restart(t, "pam_history_size = 10")
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			a, service := online(t, s, "alice", "a"), scripted(t, s)
			random := rand.New(rand.NewPCG(seed, 1))
			pick := func(words ...string) string { return words[random.IntN(len(words))] }
			attrs := func(node string) string {
				text := "node='" + node + "' subscription='" + pick("subscribed", "subscribed", "pending", "unconfigured", "none", "other") + "'"
				if random.IntN(3) > 0 {
					text += " subid='" + pick("s1", "s2", "s3", "") + "'"
				}
				return text
			}
			type known struct {
				version string
				list    map[string]string
			}
			first := a.list("")
			live := rowsOf(nil, first)
			requested := len(live)
			before := []known{{version(t, first), maps.Clone(live)}}
			apply := func(received []node) {
				for _, n := range notifies(received) {
					live = rowsOf(live, []node{n})
					before = append(before, known{version(t, []node{n}), maps.Clone(live)})
				}
			}
			for step := range 150 {
				if random.IntN(3) == 0 { // a request, with an event between it and its answer
					operation, node := pick("subscribe", "subscribe", "unsubscribe"), pick("n0", "n1", "n2", "n3")
					id := a.begin(pam(service.jid, operation, node, "alice@localhost"))
					iq := service.request(operation, node)
					if operation == "subscribe" {
						requested += 2 // one row by an event, and one by the answer
					}
					if random.IntN(2) == 0 {
						service.event("<subscription " + attrs(node) + "/>")
					}
					switch random.IntN(4) {
					case 0:
						service.reply(iq, "result", "")
					case 1:
						service.reply(iq, "error", "<error type='cancel'><"+pick("forbidden", "item-not-found", "gone", "service-unavailable")+
							" xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>")
					default:
						service.reply(iq, "result", subscription(attrs(node)))
					}
					apply(a.answer(id))
				} else {
					var events strings.Builder
					for range 1 + random.IntN(6) {
						node := pick("n0", "n1", "n2", "n3", "never1", "never2", "")
						if random.IntN(5) == 0 {
							events.WriteString("<delete node='" + node + "'/>")
						} else {
							events.WriteString("<subscription " + attrs(node) + "/>")
						}
					}
					service.event(events.String())
				}
				apply(a.drain())
				if step%5 > 0 {
					continue
				}
				received := a.list("")
				apply(received[:len(received)-1])
				full := rowsOf(nil, received[len(received)-1:])
				if !maps.Equal(live, full) {
					t.Fatalf("step %d: the notifies make %v, the list is %v", step, live, full)
				}
				for key, state := range full {
					if key[0] != 'n' || strings.HasPrefix(key, "never") || state == "other" || state == "none" {
						t.Fatalf("step %d: row %q %s", step, key, state)
					}
				}
				if len(full) > requested {
					t.Fatalf("step %d: %d rows, %d requested", step, len(full), requested)
				}
				for _, old := range before[max(0, len(before)-14):] {
					if list := rowsOf(maps.Clone(old.list), a.list(old.version)); !maps.Equal(list, full) {
						t.Fatalf("step %d: from version %s the delta makes %v, the list is %v", step, old.version, list, full)
					}
				}
			}
		})
	}
}
