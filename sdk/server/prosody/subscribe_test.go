package prosody

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// rows returns the nodes of a list that a device requests, in order.
func (d *device) rows() []string {
	d.t.Helper()
	var nodes []string
	received := d.list("") // also what came before
	for _, row := range received[len(received)-1].at("subscriptions").Children {
		nodes = append(nodes, row.attr("node"))
	}
	slices.Sort(nodes)
	return nodes
}

// Subscriptions that the program makes are the same as those of requests: at the service, in the account's
// list, for a device that is connected, and after a restart.
func TestSubscribe(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts, Nodes: []string{"news", "weather"}})
	d := online(t, s, "alice", "phone")
	ver := version(t, d.list(""))
	check := func(what string, want ...string) {
		t.Helper()
		got, err := s.Subscriptions("alice")
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(got)
		slices.Sort(want)
		if rows := d.rows(); !slices.Equal(got, want) || !slices.Equal(rows, want) {
			t.Errorf("%s: the service has %q and the list %q, want %q", what, got, rows, want)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check("at first")

	must(s.Subscribe("alice", []string{"f1", "f2", "news"}, nil))
	received := d.drain()
	if len(received) != 1 || len(received[0].at("notify").Children) != 3 {
		t.Errorf("the device received %v", received)
	}
	check("three nodes", "f1", "f2", "news")
	d.unsubscribe(service, "f1")
	d.subscribe(service, "weather")
	must(s.Subscribe("alice", []string{"f3", "f4"}, []string{"f2", "weather"}))
	check("changed by both", "f3", "f4", "news")
	must(s.Subscribe("bob", []string{"f1", "f3"}, nil))

	// An error names the node; what was done before it is in the list.
	err := s.Subscribe("alice", []string{"f5"}, []string{"f4", "weather", "news"})
	if err == nil || !strings.Contains(err.Error(), "weather: not-subscribed") {
		t.Errorf("ending a subscription that does not exist: %v", err)
	}
	check("after an error", "f3", "f5", "news")
	if err := s.Subscribe("alice", []string{"f\n6"}, nil); err == nil {
		t.Error("a name with a line break is accepted")
	}

	d.leave()
	must(s.Restart(t.Context()))
	d = online(t, s, "alice", "phone")
	check("after a restart", "f3", "f5", "news")
	if got, err := s.Subscriptions("bob"); err != nil || len(got) != 2 {
		t.Errorf("bob is subscribed to %q: %v", got, err)
	}
	must(s.Publish("f3", "1", "<kept xmlns='urn:example'/>"))
	if got := d.until("message").at("event", "items").attr("node"); got != "f3" {
		t.Errorf("an event of %q", got)
	}
	if err := s.CreateNode("f2", ""); err == nil {
		t.Error("a node without subscribers is lost")
	}
	// The old version is still known, and leads to the same list.
	changed := map[string]string{}
	for _, n := range d.list(ver) {
		for _, row := range n.at("notify").Children {
			changed[row.attr("node")] = row.attr("subscription")
		}
	}
	if want := "map[f1:none f2:none f3:subscribed f4:none f5:subscribed news:subscribed weather:none]"; fmt.Sprint(changed) != want {
		t.Errorf("changes since the first version: %v, want %s", changed, want)
	}
}

// Many subscriptions are few versions, and count for the limit of an account's own requests.
func TestSubscribeMany(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts, Nodes: []string{"news", "weather"}, MaxSubscriptions: 3001})
	d := online(t, s, "alice", "phone")
	d.list("")
	var nodes []string
	for i := range 3000 {
		nodes = append(nodes, fmt.Sprintf("feed-%05d", i))
	}
	if err := s.Subscribe("alice", nodes, nil); err != nil {
		t.Fatal(err)
	}
	if received := d.drain(); len(received) != 12 {
		t.Errorf("%d notifications", len(received))
	}
	if rows := d.rows(); !slices.Equal(rows, nodes) {
		t.Errorf("%d rows", len(rows))
	}
	for _, tt := range []struct{ node, want string }{{"news", "result"}, {"weather", "error"}} {
		received := d.subscribe(service, tt.node)
		if got := received[len(received)-1].attr("type"); got != tt.want {
			t.Errorf("subscribing to %s: %s", tt.node, got)
		}
	}
}
