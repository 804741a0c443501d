//go:build !js

package client_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/transport"
	"xmpp-pam/sdk/transport/ws"
)

// TestSpoofMatrix sends every row of the matrix to a client that is Live, as a
// hostile or broken server could. Nothing may come of one but what was set by
// hand: list, version and stored bytes stay, and so does the session.
func TestSpoofMatrix(t *testing.T) {
	p := newPeer(t, unmanaged)
	p.onlyMem(t)
	v := newVictim(t, p)
	rows := spoofs()
	names := map[string]bool{}
	for _, row := range rows {
		if names[row.name] {
			t.Fatalf("two rows are named %q", row.name)
		}
		names[row.name] = true
		before := v.mark()
		if err := p.Send(v.full, row.text(v.full, v.full)); err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		v.pass(p)
		if strings.Contains(row.want, "changed") {
			v.wait(row.name, func() bool { return strings.Contains(v.seen(before), "changed") })
		}
		v.mu.Lock()
		got := v.seen(before)
		v.mu.Unlock()
		if got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
		if row.want == "changed" || strings.Contains(row.want, "list") {
			v.heal()
		}
		v.unharmed(row.name)
	}
	v.stillServed("weather")
	t.Logf("%d rows", len(rows))
}

// TestSpoofDuringSync sends the notifies of the matrix while a list is on its
// way, when what is heard is only shown: not even that may happen.
func TestSpoofDuringSync(t *testing.T) {
	p := newPeer(t, unmanaged)
	p.onlyMem(t)
	v := newVictim(t, p)
	done := v.open("list", func(ctx context.Context) error { return v.Refresh(ctx, false) })
	sent := 0
	for _, row := range slices.Concat(fromRows(), typeRows(), wrappedRows(), notifyRows(), streamRows()) {
		if row.want != "ignored" && row.want != "message" && row.want != "error+ignored" {
			continue
		}
		before := v.mark()
		if err := p.Send(v.full, row.text(v.full, v.full)); err != nil {
			t.Fatal(err)
		}
		v.pass(p)
		v.mu.Lock()
		got := v.seen(before)
		v.mu.Unlock()
		if got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
		v.unharmed(row.name)
		sent++
	}
	v.gate.release()
	v.pass(p)
	if err := <-done; err != nil {
		t.Errorf("the list: %v", err)
	}
	v.unharmed("the end")
	v.stillServed("weather")
	t.Logf("%d rows", sent)
}

// TestSpoofFlood sends thousands of stanzas that are ignored, more than any
// queue holds: each is counted, and the warnings stay few.
func TestSpoofFlood(t *testing.T) {
	p := newPeer(t, unmanaged)
	p.onlyMem(t)
	v := newVictim(t, p)
	before, begun := v.mark(), time.Now()
	var worth []attack
	for _, row := range slices.Concat(fromRows(), typeRows(), notifyRows(), iqRows(), streamRows(), addressRows(), xmlRows()) {
		if strings.Contains(row.want, "ignored") && len(row.xml) < 2000 {
			worth = append(worth, row)
		}
	}
	const flood = 10000
	for i := range flood {
		row := worth[i%len(worth)]
		if err := p.Send(v.full, row.text(v.full, v.full)); err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
	}
	v.pass(p)
	took := time.Since(begun)
	if n := v.Ignored() - before.ignored; n != flood {
		t.Errorf("%d ignored, want %d", n, flood)
	}
	warnings, told := 0, uint64(0)
	v.wait("the last of the warnings", func() bool {
		warnings, told = 0, 0
		for _, e := range v.events[before.events:] {
			if w, ok := e.(client.Warning); ok {
				warnings++
				told += w.Ignored
			}
		}
		return told >= flood
	})
	if most := 2 + int(took/time.Second); told != flood || warnings > most {
		t.Errorf("%d warnings of %d messages in %v", warnings, told, took)
	}
	v.unharmed("the flood")
	v.stillServed("weather")
}

// TestSpoofEnd sends what only a broken server can send and what RFC 6120 wants
// the stream to end for. The client comes back, and has believed nothing.
func TestSpoofEnd(t *testing.T) {
	p := newPeer(t, unmanaged)
	p.onlyMem(t)
	v := newVictim(t, p)
	v.prefix = "list/" // A new session stores its time.
	v.stored = v.records()
	for _, row := range []attack{
		{"two froms", "<message xmlns='jabber:client' from='bob@localhost/x' from='alice@localhost'>{notify}</message>", ""},
		{"two stanzas", "<message xmlns='jabber:client' from='bob@localhost/x'/><message xmlns='jabber:client' from='alice@localhost'>{notify}</message>", ""},
		{"half a stanza", "<message xmlns='jabber:client' from='alice@localhost'>{notify}", ""},
		{"a comment", "<message xmlns='jabber:client' from='alice@localhost'><!-- -->{notify}</message>", ""},
		{"a document type", "<!DOCTYPE x [<!ENTITY a 'alice'>]><message xmlns='jabber:client' from='&a;@localhost'>{notify}</message>", ""},
		{"an entity", "<message xmlns='jabber:client' from='&alice;'>{notify}</message>", ""},
		{"a surrogate", "<message xmlns='jabber:client' from='alice@localhost'>{notify}&#xD800;</message>", ""},
		{"a control character", "<message xmlns='jabber:client' from='alice@localhost'>{notify}\x01</message>", ""},
		{"a stream error", "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>", ""},
		{"a close", "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", ""},
	} {
		dials := v.gate.count()
		if err := p.Send(v.full, row.text(v.full, v.full)); err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		v.wait(row.name, func() bool { return v.gate.count() > dials && v.State().Phase == pam.PhaseLive })
		v.dials = v.gate.count()
		v.unharmed(row.name)
	}
	v.stillServed("weather")
}

// A victim is a Live client of alice, whose list holds the node news, and what
// must not change about it.
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
}

func newVictim(t *testing.T, p *peer) *victim {
	t.Helper()
	v := &victim{peer: p, kept: &witness{Memory: store.NewMemory(), synced: make(chan struct{})}, full: "alice@" + p.domain + "/desk", gate: &gate{Dialer: &ws.Dialer{}}, dials: 1}
	v.other = newDevice(t, p, nil).connect()
	subscribe(t, v.other, "pubsub."+p.domain, "news")
	v.device = newDevice(t, p, v.kept, quick, func(o *client.Options) { o.Resource, o.Dialer = "desk", v.gate }).connect()
	v.waitNodes("news")
	<-v.kept.synced
	v.before, v.stored = v.Snapshot(), v.records()
	return v
}

// A moment is how much a victim had seen and sent.
type moment struct {
	events, frames int
	ignored        uint64
}

func (v *victim) mark() moment {
	v.mu.Lock()
	defer v.mu.Unlock()
	return moment{len(v.events), len(v.frames), v.Ignored()}
}

// seen is what came of the stanzas since a moment, in the words of an attack.
// Markers and states do not count. v.mu is held.
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
		case e.Name.Space == "urn:xmpp:sm:3": // the ledger goes on
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

func isMark(m client.MessageReceived) bool { return strings.HasPrefix(m.ID, "mark") }

// nextMark is a message that tells, when it arrives, that all before it did.
func (v *victim) nextMark() (id, xml string) {
	v.marks++
	id = fmt.Sprint("mark", v.marks)
	return id, "<message xmlns='jabber:client' to='" + v.full + "' id='" + id + "' type='chat'/>"
}

// pass waits until the client has taken all that the server sent it.
func (v *victim) pass(p *peer) {
	v.t.Helper()
	id, xml := v.nextMark()
	if err := p.Send(v.full, strings.Replace(xml, " id=", " from='bob@localhost/m' id=", 1)); err != nil {
		v.t.Fatal(err)
	}
	v.wait(id, func() bool { return v.passed(id) })
}

// passed tells whether a marker was handed on. v.mu is held.
func (v *victim) passed(id string) bool {
	for i := len(v.events) - 1; i >= 0; i-- {
		if m, ok := v.events[i].(client.MessageReceived); ok && isMark(m) {
			return m.ID == id
		}
	}
	return false
}

// unharmed checks all that no attack may touch.
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

// heal undoes what a believed stanza did, by a whole list, and takes what is
// stored then for what must not change.
func (v *victim) heal() {
	v.t.Helper()
	if err := v.Refresh(v.t.Context(), true); err != nil {
		v.t.Fatal(err)
	}
	v.wait("the true list", func() bool {
		return slices.Equal(nodesOf(v.Snapshot().List), []string{"news"}) && len(v.Snapshot().Provisional) == 0
	})
	v.before, v.stored = v.Snapshot(), v.records()
}

// stillServed has another device change the list, and waits until that arrives.
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

// open starts a request whose answer the gate keeps, and returns its end. The
// answer has arrived at the gate then.
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

func (v *victim) records() []store.Record {
	v.t.Helper()
	all, err := v.kept.Scan(context.Background(), store.Range{From: v.prefix})
	if err != nil {
		v.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(r store.Record) bool { return !strings.HasPrefix(r.Key, v.prefix) })
}

// A witness is a store that tells when the time of a sync was stored, the last
// that a new session stores by itself.
type witness struct {
	*store.Memory
	once   sync.Once
	synced chan struct{}
}

func (w *witness) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	err := w.Memory.Commit(ctx, expect, ops)
	if len(expect) == 0 {
		w.once.Do(func() { close(w.synced) })
	}
	return err
}

func sameRecord(a, b store.Record) bool { return a.Key == b.Key && bytes.Equal(a.Value, b.Value) }

// A gate is a dialer that counts, and that keeps back some of what arrives.
type gate struct {
	transport.Dialer
	mu    sync.Mutex
	dials int
	keep  func(message string) bool
	kept  []string
}

type gated struct {
	transport.Conn
	*gate
}

func (g *gate) Dial(ctx context.Context, url string) (transport.Conn, error) {
	g.mu.Lock()
	g.dials++
	g.mu.Unlock()
	conn, err := g.Dialer.Dial(ctx, url)
	if err != nil {
		return nil, err
	}
	return gated{conn, g}, nil
}

func (c gated) Receive(ctx context.Context) ([]string, error) {
	for {
		messages, err := c.Conn.Receive(ctx)
		c.mu.Lock()
		var out []string
		if c.keep == nil {
			out, c.kept = c.kept, nil
		}
		for _, m := range messages {
			if c.keep != nil && c.keep(m) {
				c.kept = append(c.kept, m)
			} else {
				out = append(out, m)
			}
		}
		c.mu.Unlock()
		if len(out) > 0 || err != nil {
			return out, err
		}
	}
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.dials
}

// shut keeps back what keep wants, from now on.
func (g *gate) shut(keep func(message string) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.keep = keep
}

// release lets what was kept pass, before the next message that arrives.
func (g *gate) release() { g.shut(nil) }

// unmanaged is a server without stream management, which would not count what a
// test has it send.
func unmanaged(c *mem.Config) { c.DisableSM = true }
