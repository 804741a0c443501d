package listsync

import (
	"fmt"
	"testing"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

func bigList(n int) []pam.Subscription {
	list := make([]pam.Subscription, n)
	for i := range list {
		list[i] = sub(fmt.Sprintf("pubsub%d.lit", i%50), fmt.Sprintf("urn:xmpp:microblog:%d", i), "", pam.StateSubscribed)
	}
	return NewList(list).Rows()
}

// BenchmarkNotify measures one live notify, from Notify to Changed, in lists of
// different lengths.
func BenchmarkNotify(b *testing.B) {
	for _, n := range []int{10, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := synced(Durable{Stamp: Stamp{1, "v"}, List: NewList(bigList(n))})
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				out := m.Step(start, Notify{Version: pam.Version(fmt.Sprint(i)), Items: []pam.Subscription{sub("a.lit", "n", fmt.Sprint(i%100), pam.StateSubscribed)}})
				m.Step(start, Committed{out[0].(Commit).Seq})
			}
		})
	}
}

// BenchmarkDelta measures a delta of 10,000 notifies received in a round.
func BenchmarkDelta(b *testing.B) {
	list := bigList(10000)
	for b.Loop() {
		m := NewMachine()
		m.Step(start, Stored{Durable{Stamp: Stamp{1, "v"}}})
		m.Step(start, SessionStarted{})
		for i := range list {
			m.Step(start, Notify{Version: "w", Items: list[i : i+1]})
		}
		m.Step(start, ListResult{Round: 1})
		m.Step(start, ListResult{Round: 2})
		m.Step(start, Committed{1})
	}
}

// BenchmarkFullList measures a full list of 10,000 rows, from the wire to Changed,
// that replaces a slightly different one.
func BenchmarkFullList(b *testing.B) {
	list := bigList(10000)
	iq := element.New(ns.Client, "iq").Set("type", "result")
	e := element.New(ns.PAM, "subscriptions").Set("ver", "w")
	for _, s := range list {
		e.Add(element.New(ns.PAM, "subscription").Set("service", s.Service).Set("node", s.Node).Set("jid", s.JID).Set("subscription", string(s.State)))
	}
	iq.Add(e)
	for b.Loop() {
		m := NewMachine()
		m.Step(start, Stored{Durable{Stamp: Stamp{1, "v"}, List: NewList(list[:9900])}})
		m.Step(start, SessionStarted{})
		res, err := reader().ParseListResult(iq)
		if err != nil {
			b.Fatal(err)
		}
		res.Round = 1
		m.Step(start, res)
		m.Step(start, Committed{1})
	}
}
