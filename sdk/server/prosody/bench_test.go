package prosody

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// ratio reports a ratio of two durations of one run, and fails above a limit.
func ratio(b *testing.B, name string, one, other time.Duration, limit float64) {
	b.Helper()
	r := float64(one) / float64(other)
	b.ReportMetric(r, name)
	b.Logf("%s: %v to %v", name, one, other)
	if r > limit {
		b.Errorf("%s is %.2f, the limit is %v", name, r, limit)
	}
}

func quiet(t testing.TB, s *Server, option string) {
	s.stop()
	s.edit(t, "log = { debug =", "log = { info =")
	s.edit(t, "interfaces =", option+"\ninterfaces =")
}

// BenchmarkHostileStanza compares the duration of another user's ping while the server handles a stanza of
// 2,000 rows to an account that follows the sender, and to one that has no list. The rows are unknown, or
// as many of them as an account may have are current and change.
func BenchmarkHostileStanza(b *testing.B) {
	users := map[string]string{"alice": "pw-alice", "bob": "pw-bob", "carol": "pw-carol", "dave": "pw-dave"}
	s := start(b, Config{Accounts: users})
	quiet(b, s, "")
	write(b, s.snapshot(), rows(1000, "bob@localhost/service"))
	s.resume(b)
	a, service, dave := online(b, s, "alice", "a"), scripted(b, s), online(b, s, "dave", "d")
	online(b, s, "carol", "c")
	a.conn.SetReadLimit(16 << 20)
	a.list("")
	// worst returns the duration of the longest ping while the server handles the stanza.
	worst := func(to, node, state string) time.Duration {
		var stanza strings.Builder
		fmt.Fprintf(&stanza, "<message xmlns='jabber:client' type='headline' to='%s@localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'>", to)
		for i := range 2000 {
			fmt.Fprintf(&stanza, "<subscription node='%s%d' jid='%s@localhost' subscription='%s'/>", node, i, to, state)
		}
		stanza.WriteString("</event></message>")
		service.send(stanza.String())
		var longest time.Duration
		for end := time.Now().Add(400 * time.Millisecond); time.Now().Before(end); {
			began := time.Now()
			dave.drain()
			longest = max(longest, time.Since(began))
		}
		service.drain()
		a.drain()
		return longest
	}
	for b.Loop() {
		// The fastest of 15 each, in turns: other processes of the machine disturbed it least.
		plain, unknown, known := time.Hour, time.Hour, time.Hour
		for i := range 15 {
			plain = min(plain, worst("carol", "node", "pending"))
			unknown = min(unknown, worst("alice", "other", "subscribed"))
			known = min(known, worst("alice", "node", []string{"pending", "subscribed"}[i%2]))
		}
		ratio(b, "unknown-rows/no-list", unknown, plain, 3)
		ratio(b, "1000-changes/no-list", known, plain, 3)
	}
}

// BenchmarkOneChange compares one change of a list of 1,000 rows to one of a list of 10.
func BenchmarkOneChange(b *testing.B) {
	s := start(b, Config{Accounts: accounts, Nodes: []string{"n1"}})
	quiet(b, s, "pam_max_subscriptions = 3000")
	write(b, s.snapshot(), rows(1000, "service.example"))
	write(b, strings.Replace(s.snapshot(), "alice", "bob", 1), rows(10, "service.example"))
	s.resume(b)
	a, other := online(b, s, "alice", "a"), online(b, s, "bob", "b")
	a.list("")
	other.list("")
	change := func(d *device) time.Duration {
		began := time.Now()
		d.subscribe(svc, "n1")
		d.unsubscribe(svc, "n1")
		return time.Since(began)
	}
	for b.Loop() {
		// So many that a new snapshot of the long list is written meanwhile, which is part of the cost of a change.
		// They take turns, because other processes run on the machine.
		const turns = 1500
		var few, many []time.Duration
		var sumFew, sumMany time.Duration
		for range turns {
			few, many = append(few, change(other)), append(many, change(a))
			sumFew, sumMany = sumFew+few[len(few)-1], sumMany+many[len(many)-1]
		}
		slices.Sort(few)
		slices.Sort(many)
		ratio(b, "median-1000-rows/10-rows", many[turns/2], few[turns/2], 1.5)
		ratio(b, "mean-1000-rows/10-rows", sumMany/turns, sumFew/turns, 1.5)
	}
}
