//go:build !js

package client_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/transport/ws"
)

// A victim is a live client of alice, whose list contains the node news, with the state
// that an attack must not change.
type victim struct {
	*device
	peer   *peer
	gate   *gate
	kept   *witness
	prefix string // of the records that must not change
	full   string
	other  *device // of the same account
	stored []store.Record
	before pam.Snapshot
	dials  int
	marks  int

	catching bool // a catch-up is under way
}

func (v *victim) mark() moment {
	v.mu.Lock()
	defer v.mu.Unlock()
	return moment{len(v.events), len(v.frames), v.Ignored()}
}

// seen returns the effects of the stanzas since a moment, in the words of an attack.
// It omits markers and states. v.mu is held.
func (v *victim) seen(since moment) string {
	found := map[string]bool{}
	if v.Ignored() > since.ignored {
		found["ignored"] = true
	}
	for _, e := range v.events[since.events:] {
		switch e := e.(type) {
		case client.Changed:
			found["changed"] = true
		case client.ProvisionalChanged:
			found["provisional"] = true
		case client.Warning:
			if e.Ignored == 0 {
				found["warning"] = true
			}
		case client.MessageReceived:
			if !isMark(e) {
				found["message"] = true
			}
		}
	}
	for _, f := range v.frames[since.frames:] {
		if !f.Out {
			continue
		}
		e, err := element.Parse(f.XML, nil)
		switch {
		case err != nil:
			found["nonsense"] = true
		case e.Attr("type") == "get" && isList(e):
			found["list"] = true
		case isCatchUp(e), isSharing(e):
			found["catch-up"] = true
		case e.Name.Space == "urn:xmpp:sm:3": // acknowledgements
		case e.Name.Local == "iq":
			found[e.Attr("type")] = true
		default:
			found[e.Name.Local] = true
		}
	}
	var words []string
	for word := range found {
		words = append(words, word)
	}
	slices.Sort(words)
	return strings.Join(words, "+")
}

// nextMark returns a message that shows, when it arrives, that all stanzas before it
// have arrived.
func (v *victim) nextMark() (id, xml string) {
	v.marks++
	id = fmt.Sprint("mark", v.marks)
	return id, "<message xmlns='jabber:client' to='" + v.full + "' id='" + id + "' type='chat'/>"
}

// pass waits until the client has handled everything that the server has sent.
func (v *victim) pass() {
	v.t.Helper()
	id, xml := v.nextMark()
	if err := v.peer.Send(v.full, strings.Replace(xml, " id=", " from='bob@localhost/m' id=", 1)); err != nil {
		v.t.Fatal(err)
	}
	v.wait(id, func() bool { return v.passed(id) })
}

// attack has the server send a row.
func (v *victim) attack(row attack) {
	v.t.Helper()
	if err := v.peer.Send(v.full, row.text(v.full, v.full)); err != nil {
		v.t.Fatalf("%s: %v", row.name, err)
	}
}

// expect waits until the client has handled a row that was sent since that moment, and
// checks its effects.
func (v *victim) expect(row attack, since moment) {
	v.t.Helper()
	v.pass()
	if strings.Contains(row.want, "changed") {
		v.wait(row.name, func() bool { return strings.Contains(v.seen(since), "changed") })
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	got := v.seen(since)
	if v.catching || strings.Contains(row.want, "changed") { // A node that was added has its service asked.
		got = strings.Trim(strings.Replace("+"+got+"+", "+catch-up+", "+", 1), "+")
	}
	if got != row.want {
		v.t.Errorf("%s: got %q, want %q", row.name, got, row.want)
	}
}

// passed reports whether the client delivered a marker. v.mu is held.
func (v *victim) passed(id string) bool {
	for i := len(v.events) - 1; i >= 0; i-- {
		if m, ok := v.events[i].(client.MessageReceived); ok && isMark(m) {
			return m.ID == id
		}
	}
	return false
}

// unharmed checks the state that no attack may change.
func (v *victim) unharmed(after string) {
	v.t.Helper()
	now := v.Snapshot()
	if !slices.Equal(now.List, v.before.List) || now.Version != v.before.Version || !slices.Equal(now.Provisional, v.before.Provisional) {
		v.t.Errorf("after %s: %+v, before %+v", after, now, v.before)
		v.before = now
	}
	if got := v.records(); !slices.EqualFunc(got, v.stored, sameRecord) {
		v.t.Errorf("after %s: the stored bytes differ", after)
		v.stored = got
	}
	if n := v.gate.count(); n != v.dials || v.State().Phase != pam.PhaseLive {
		v.t.Fatalf("after %s: %d dials, want %d; phase %s (%v)", after, n, v.dials, v.State().Phase, v.State().Err)
	}
}

// restore undoes the effect of an accepted stanza by a full list. The stored bytes must
// not change after that.
func (v *victim) restore() {
	v.t.Helper()
	if err := v.Refresh(v.t.Context(), true); err != nil {
		v.t.Fatal(err)
	}
	v.wait("the true list", func() bool {
		return slices.Equal(nodesOf(v.Snapshot().List), []string{"news"}) && len(v.Snapshot().Provisional) == 0
	})
	v.before, v.stored = v.Snapshot(), v.records()
}

// stillServed has another device change the list, and waits for the change.
func (v *victim) stillServed(node string) {
	v.t.Helper()
	subscribe(v.t, v.other, v.before.List[0].Service, node)
	v.waitNodes("news", node)
	if got, want := v.Snapshot().Version, v.other.Snapshot().Version; got != want || (got == "") != v.peer.like.NoVersions {
		v.t.Errorf("version %q, want %q", got, want)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, e := range v.events {
		if s, ok := e.(client.StateChanged); ok && s.State.Phase == pam.PhaseFailed {
			v.t.Errorf("the client failed: %v", s.State.Err)
		}
	}
}

// open starts a request whose answer the gate holds, and returns a channel for its
// error when the answer has arrived at the gate.
func (v *victim) open(what string, ask func(context.Context) error) <-chan error {
	v.t.Helper()
	before := v.mark()
	v.gate.shut(func(message string) bool {
		return strings.HasPrefix(message, "<iq") && !strings.Contains(message, "from='bob")
	})
	done := begin(func() error { return ask(v.t.Context()) })
	v.wait(what, func() bool {
		return slices.ContainsFunc(v.frames[before.frames:], func(f client.Frame) bool { return f.Out && strings.HasPrefix(f.XML, "<iq") })
	})
	return done
}

// records returns the stored records, except for those in which the inbox notes what the
// catch-up has reached: it stores them later than events.
func (v *victim) records() []store.Record {
	v.t.Helper()
	all, err := v.kept.Scan(context.Background(), store.Range{From: v.prefix})
	if err != nil {
		v.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(r store.Record) bool {
		notes := strings.HasPrefix(r.Key, "inbox/meta") || strings.HasPrefix(r.Key, "inbox/node/") || strings.HasPrefix(r.Key, "inbox/position/")
		return notes || !strings.HasPrefix(r.Key, v.prefix)
	})
}

func newVictim(t *testing.T, p *peer) *victim {
	t.Helper()
	v := &victim{peer: p, kept: &witness{Memory: store.NewMemory(), synced: make(chan struct{})}, full: "alice@" + p.domain + "/desk", gate: &gate{Dialer: &ws.Dialer{}}, dials: 1}
	v.other = newDevice(t, p, nil).connect()
	subscribe(t, v.other, "pubsub."+p.domain, "news")
	v.device = newDevice(t, p, v.kept, quick, func(o *client.Options) { o.Resource, o.Dialer = "desk", v.gate }).connect()
	v.waitNodes("news")
	<-v.kept.synced
	until(t, "the scope", func() bool { return v.inbox().SeenScope == pam.ScopeAccount })
	v.before, v.stored = v.Snapshot(), v.records()
	return v
}

// A moment is the number of events and frames of a victim at one time.
type moment struct {
	events, frames int
	ignored        uint64
}

func isMark(m client.MessageReceived) bool { return strings.HasPrefix(m.ID, "mark") }

func sameRecord(a, b store.Record) bool { return a.Key == b.Key && bytes.Equal(a.Value, b.Value) }
