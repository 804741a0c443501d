package inbox

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// filled returns a player with 30 events of 3 nodes, some seen, and what else is stored.
func filled(t *testing.T) *player {
	p := newPlayer(t, Options{PerNode: 12, Total: 30, page: 10})
	p.step(Stored{})
	p.step(SessionStarted{})
	var ids []string
	for i := range 45 {
		in := Arrived{Seq: uint64(i + 1), Events: p.incoming("live", fmt.Sprintf("a/n%d", i%3), []string{fmt.Sprintf("i%d=x%d@11:%02d:00d", i, i, i)})}
		p.run(in)
		if i%4 == 0 {
			ids = append(ids, p.m.events[len(p.m.events)-1].info().ID)
		}
	}
	p.run(MarkSeen{IDs: ids})
	p.run(RemoteMarkers{Markers: []pam.Marker{{Service: "a", Node: "n1", ItemID: "i34", At: start, TimeSource: pam.TimeLocalClock}}})
	p.run(Reached{Service: "a", Nodes: []string{"n0", "n2"}, Cursor: Cursor{"a", "c", start}, Current: true})
	p.run(Looked{})
	p.run(p.read("list +a/n9"))
	p.run(TimerFired{TimerFlush})
	return p
}

// run passes an input to the machine and stores what it commits.
func (p *player) run(in Input) {
	for outs := p.step(in); ; {
		i := slices.IndexFunc(outs, func(out Output) bool { _, ok := out.(Commit); return ok })
		if i < 0 {
			return
		}
		p.commit()
		outs = p.step(Committed{p.last.Seq})
	}
}

// TestReload checks that a machine knows the same after its records were read.
func TestReload(t *testing.T) {
	p := filled(t)
	want := p.dump(p.m)
	m := New(p.m.opts)
	outs := m.Step(p.now, Stored{p.records()})
	if len(outs) != 1 {
		t.Errorf("outputs %v", outs)
	}
	m.Step(p.now, SessionStarted{Resumed: true, Number: m.Session()})
	wanted := strings.Split(want, "\n")
	for i, line := range strings.Split(p.dump(m), "\n") {
		if line != wanted[i] {
			t.Errorf("got\n%s\nwant\n%s", line, wanted[i])
		}
	}
	if !strings.Contains(want, "<nil> {Key:{Service:a Node:n9") || !strings.Contains(want, "Current:true") || strings.Count(want, "displayed") < 3 || m.shown.dropped < 10 {
		t.Errorf("the test stores too little: %s", want)
	}
}

// TestGoOn has a machine that has read its records, all or all but the meta record, store
// more: it overwrites nothing, and deletes what nothing refers to.
func TestGoOn(t *testing.T) {
	for _, lost := range []string{"", MetaKey} {
		p := filled(t)
		var ops []store.Op
		if lost != "" {
			ops = append(ops, store.Delete(lost))
		}
		if err := p.store.Commit(t.Context(), nil, ops); err != nil {
			t.Fatal(err)
		}
		p.m = New(p.m.opts)
		p.run(Stored{p.records()})
		p.run(p.read("session resumed"))
		for i := range 70 { // more than a record of positions or nodes contains
			p.run(p.read(fmt.Sprintf("reached b p%d c%d@11:00:00a", i, i)))
		}
		for _, line := range []string{"looked", "live 1 a/more j1=x@11:50:00d", "live 2 a/n0 j2=x@11:51:00d", "reached a more c9@11:52:00a current", "timer flush"} {
			p.run(p.read(line))
		}
		want := p.dump(p.m)
		again := New(p.m.opts)
		again.Step(p.now, Stored{p.records()})
		again.Step(p.now, SessionStarted{Resumed: true, Number: again.Session()})
		if got := p.dump(again); got != want || strings.Contains(got, string(pam.OmittedUnreadable)) {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		for i := range 60 {
			p.run(p.read(fmt.Sprintf("live 3 a/n%d k%d=x", i%4, i)))
		}
		used := map[string]bool{}
		for _, e := range p.m.events {
			used[bodyKey(e.body.number)] = true
		}
		bodies, err := p.store.Scan(t.Context(), store.Range{From: keyBodies})
		if err != nil || len(bodies) != len(used) {
			t.Errorf("%d records of bodies, %d are used, %v", len(bodies), len(used), err)
		}
	}
}

// TestEpoch checks that the records of an empty store, and of one that has failed, differ by
// the epoch, so that a commit that was built on others conflicts.
func TestEpoch(t *testing.T) {
	metas := map[string]bool{}
	for _, epoch := range []uint64{5, 7} {
		for _, first := range []Input{Stored{}, StoreReplaced{}} {
			p := newPlayer(t, Options{Epoch: epoch})
			p.run(first)
			p.run(p.read("live 1 a/n i1=x"))
			metas[string(p.m.Meta())] = true
		}
	}
	if len(metas) != 4 {
		t.Errorf("%d meta records", len(metas))
	}
}

// dump formats what a machine answers.
func (p *player) dump(m *Machine) string {
	var b strings.Builder
	q := Query{Limit: 7}
	for {
		page, _ := m.List(q)
		values, err := p.store.Get(p.t.Context(), page.Keys...)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, e := range page.Events(values) {
			fmt.Fprintf(&b, "%+v\n", e)
		}
		if q.Before = page.Cursor; q.Before == "" {
			break
		}
	}
	away := m.Away()
	for _, c := range away.Changes {
		fmt.Fprintf(&b, "%v %+v\n", c.Before, *c.After)
	}
	fmt.Fprintf(&b, "%v %d %+v\n", away.Since, away.Events, m.shown)
	for _, n := range m.order {
		fmt.Fprintf(&b, "%+v %v %+v %v\n", n.summary(), n.gone, m.CatchUp(n.service, n.name), m.Known(n.service, n.name))
	}
	return b.String()
}

// unnoticed says that a change of a record need not contradict the others.
const unnoticed = -1

// TestDamage damages the records in every way. The machine repairs them, warns, and
// keeps what is not damaged.
func TestDamage(t *testing.T) {
	p := filled(t)
	records := p.records()
	all := len(p.m.events)
	random := rand.New(rand.NewPCG(1, 2))
	try := func(name string, damaged []store.Record, least int) {
		t.Helper()
		m := New(Options{PerNode: 12, Total: 30, page: 10, Epoch: 77})
		var commit Commit
		warned := false
		for _, out := range m.Step(p.now, Stored{damaged}) {
			switch out := out.(type) {
			case Commit:
				commit = out
			case Warning:
				warned = errors.Is(out.Err, ErrDamaged)
			}
		}
		if !warned && least == unnoticed {
			return
		}
		if !warned || commit.Seq == 0 {
			t.Errorf("%s: warned %v, commit %v", name, warned, commit)
			return
		}
		if len(m.events) < least {
			t.Errorf("%s: %d events are left", name, len(m.events))
		}
		s := store.NewMemory()
		var ops []store.Op
		for _, r := range damaged {
			ops = append(ops, store.Put(r.Key, r.Value))
		}
		if err := s.Commit(t.Context(), nil, ops); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(t.Context(), commit.Expect, commit.Ops); err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		repaired, _ := s.Scan(t.Context(), Range)
		again := New(m.opts)
		for _, out := range again.Step(p.now, Stored{repaired}) {
			switch out.(type) {
			case Commit, Warning:
				t.Errorf("%s: after the repair: %T%v", name, out, out)
			}
		}
		if again.unseen != m.unseen || again.dropped != m.dropped || len(again.events) != len(m.events) || again.bytes != m.bytes || again.next != m.next {
			t.Errorf("%s: repaired %d events, %d unseen, %d dropped; read %d, %d, %d", name, len(m.events), m.unseen, m.dropped, len(again.events), again.unseen, again.dropped)
		}
	}
	for i, r := range records {
		others := append(slices.Clone(records[:i]), records[i+1:]...)
		least := 0
		if r.Key == MetaKey || strings.HasPrefix(r.Key, keyPage) || strings.HasPrefix(r.Key, keyPositions) || r.Key == keySince {
			least = all
		}
		if r.Key != keySince {
			try("without "+r.Key, others, least)
		}
		for range 40 {
			value := bytes.Clone(r.Value)
			switch at := random.IntN(len(value)); random.IntN(3) {
			case 0:
				value[at] ^= byte(1 + random.IntN(255))
			case 1:
				value = value[:at]
			default:
				value = slices.Insert(value, at, byte(random.IntN(256)))
			}
			if newer(value) {
				continue
			}
			try(fmt.Sprintf("%s as %q", r.Key, value), append(others, store.Record{Key: r.Key, Value: value}), least)
		}
	}
	for _, tt := range damages {
		damaged := slices.Clone(records)
		i := slices.IndexFunc(damaged, func(r store.Record) bool { return strings.HasPrefix(r.Key, tt.key) })
		text, _ := unseal(damaged[i].Value)
		damaged[i].Value = seal([]byte(tt.change(text.data)))
		try(tt.name, damaged, all)
	}
	for _, tt := range losses {
		damaged := slices.Clone(records)
		i := slices.IndexFunc(damaged, func(r store.Record) bool { return strings.HasPrefix(r.Key, keyNodes) })
		text, _ := unseal(damaged[i].Value)
		damaged[i].Value = seal([]byte(tt.change(text.data)))
		try(tt.name, damaged, 0)
	}
	try("an empty record", append(slices.Clone(records), store.Record{Key: keyEvents + "zz", Value: seal(nil)}), all)
	for _, r := range records {
		if r.Key == keySince {
			try("only "+r.Key, []store.Record{r}, 0)
		}
	}
	// Records with a right digest and wrong content.
	for _, r := range records {
		for range 60 {
			text, _ := unseal(r.Value)
			fields := strings.SplitAfter(text.data, "\x1f")
			i := random.IntN(len(fields))
			fields[i] = []string{"\x1f", "-1\x1f", "zz\x1f", "99999999999999999999\x1f", "0\x1f", "", fields[i] + "\x1f", "\x1e"}[random.IntN(8)]
			value := seal([]byte(strings.Join(fields, "")))
			if newer(value) {
				continue
			}
			wrong := append([]store.Record{{Key: r.Key, Value: value}}, slices.DeleteFunc(slices.Clone(records), func(o store.Record) bool { return o.Key == r.Key })...)
			m := New(Options{Epoch: 77})
			m.Step(p.now, Stored{wrong})
			m.Step(p.now, Arrived{Seq: 1, Events: p.incoming("live", "a/n0", []string{"new=x"})})
			try(fmt.Sprintf("%s with %q", r.Key, value), wrong, unnoticed)
		}
	}
}

// damages change the text of the first record whose key has a prefix so that it contradicts
// itself or others. No event is lost.
var damages = []struct {
	name, key string
	change    func(string) string
}{
	{"an event twice", keyEvents, doubled},
	{"a node twice", keyNodes, doubled},
	{"a node of the number of another", keyNodes, func(s string) string { return s + set(1, "other")(doubled(s)[len(s):]) }},
	{"a node of the name of another", keyNodes, func(s string) string { return s + set(5, "77")(doubled(s)[len(s):]) }},
	{"a position twice", keyPositions, doubled},
	{"a row of the page twice", keyPage, doubled},
	{"an older format", MetaKey, added(0, -1)},
	{"one event more", MetaKey, added(2, 1)},
	{"one unseen event more", MetaKey, added(3, 1)},
	{"one unseen event less", MetaKey, added(3, -1)},
	{"one dropped event less", MetaKey, added(4, -1)},
	{"one node more", MetaKey, added(5, 1)},
	{"one row of the page less", MetaKey, added(6, -1)},
	{"the id of the next event is that of the last", MetaKey, added(9, -1)},
	{"an epoch that is no number", MetaKey, set(1, "!")},
	{"a time that is no number", MetaKey, set(7, "x")},
	{"a node has one unseen event more", keyNodes, added(2, 1)},
	{"a node has one unseen event less", keyNodes, added(2, -1)},
	{"a position without nodes", keyPositions, func(s string) string {
		return s + string((&position{number: 99, by: "a", id: "c"}).encode(nil))
	}},
}

// losses change the first row of a node so that the rest of the record is lost, with the events.
var losses = []struct {
	name   string
	change func(string) string
}{
	{"the number of a position is none", set(6, "x")},
	{"fingerprints that are none", set(11, "!")},
	{"older fingerprints that are none", set(13, "!")},
}

func doubled(s string) string { return s + s[:strings.IndexByte(s, rowEnd)+1] }

func set(field int, text string) func(string) string {
	return func(s string) string {
		fields := strings.SplitAfter(s, "\x1f")
		fields[field] = text + "\x1f"
		return strings.Join(fields, "")
	}
}

// added changes a number in a field of the first row. The id of the next event has the base 36.
func added(field, n int) func(string) string {
	return func(s string) string {
		fields := strings.SplitAfter(s, "\x1f")
		r := reader{data: fields[field]}
		if field == 9 {
			fields[field] = string(appendID(nil, r.id()+uint64(n)))
		} else {
			fields[field] = string(appendNumber(nil, r.number()+n))
		}
		return strings.Join(fields, "")
	}
}

func newer(value []byte) bool {
	first, _, _ := bytes.Cut(value, []byte("\x1f"))
	return len(first) > 1 && first[0] >= '1' && first[0] <= '9' || len(first) == 1 && first[0] > '1'
}

// TestNewer checks that records of a newer format are not overwritten.
func TestNewer(t *testing.T) {
	p := newPlayer(t, Options{})
	meta := []byte("2\x1fwhatever\x1f\x1e")
	outs := p.step(Stored{[]store.Record{{Key: MetaKey, Value: meta}, {Key: keyEvents + "0", Value: []byte("x")}}})
	if w, ok := outs[0].(Warning); len(outs) != 1 || !ok || !errors.Is(w.Err, ErrNewer) {
		t.Fatalf("outputs %v", outs)
	}
	if outs := p.step(p.read("live 5 a/n i1=x")); len(outs) != 0 {
		t.Fatalf("outputs %v", outs)
	}
	p.store = store.NewMemory()
	p.run(StoreReplaced{})
	if got := p.list(Query{}); got != "e1:i1=x@12:00:00l" || p.m.handled != 5 {
		t.Errorf("listed %s, handled %d", got, p.m.handled)
	}
	// Another tab has written a newer format since.
	p.step(p.read("live 6 a/n i2=x"))
	outs = p.step(Conflict{p.last.Seq, []store.Record{{Key: MetaKey, Value: meta}}})
	if w, ok := outs[0].(Warning); len(outs) != 1 || !ok || !errors.Is(w.Err, ErrNewer) {
		t.Fatalf("outputs %v", outs)
	}
}

// TestReplaced checks what is left after the store has failed.
func TestReplaced(t *testing.T) {
	p := filled(t)
	want := p.dump(p.m)
	p.step(p.read("seen e45"))
	p.store = store.NewMemory()
	p.run(StoreReplaced{})
	p.run(BodiesRead{})
	inline := len(p.m.pageTable.all())
	for i, line := range strings.Split(p.dump(p.m), "\n")[:30] {
		old := strings.Split(want, "\n")[i]
		if lost := strings.Contains(line, "Omitted:unreadable"); lost != (i >= inline) || !lost && i > 0 && line != old {
			t.Errorf("%d: got %s, want %s", i, line, old)
		}
	}
	if records := p.records(); len(records) < 5 || inline < 10 {
		t.Errorf("%d records, %d in the page", len(records), inline)
	}
	m := New(p.m.opts)
	if outs := m.Step(p.now, Stored{p.records()}); len(outs) != 1 {
		t.Errorf("read again: %v", outs)
	}
}

// TestLargerPage reads records of a page with fewer rows than wanted: the machine requests the
// bodies of the others, and again if the store that was to answer has failed.
func TestLargerPage(t *testing.T) {
	p := filled(t)
	opts := p.m.opts
	opts.page = 29
	p.m = New(opts)
	requested := func(outs []Output) bool {
		return slices.ContainsFunc(outs, func(out Output) bool { _, ok := out.(ReadBodies); return ok })
	}
	if outs := p.step(Stored{p.records()}); !requested(outs) {
		t.Errorf("outputs %v", outs)
	}
	p.step(p.read("live 99 a/n0 new=x@11:59:00d"))
	p.commit()
	if outs := p.step(Committed{p.last.Seq}); requested(outs) {
		t.Errorf("before the answer: %v", outs)
	}
	p.store = store.NewMemory()
	p.step(StoreReplaced{})
	p.commit()
	if outs := p.step(Committed{p.last.Seq}); !requested(outs) {
		t.Errorf("after the failure: %v", outs)
	}
}

// TestPageRows checks that the page has the newest events, and up to 16 more, so that its
// records do not change with each removal.
func TestPageRows(t *testing.T) {
	p := newPlayer(t, Options{page: 10})
	p.step(Stored{})
	for i := range 60 {
		p.run(p.read(fmt.Sprintf("live 1 a/n i%d=x", i)))
		if rows := len(p.m.pageTable.all()); rows != min(i+1, 26) {
			t.Errorf("%d rows of %d events", rows, i+1)
		}
	}
}

// TestLowerLimits checks that lower limits count at once.
func TestLowerLimits(t *testing.T) {
	p := filled(t)
	for _, opts := range []Options{{PerNode: 5}, {Total: 9}, {Bytes: 1500}} {
		m := New(opts)
		outs := m.Step(p.now, Stored{p.records()})
		if len(m.events) > 15 || len(outs) != 2 {
			t.Errorf("%+v: %d events, %d outputs", opts, len(m.events), len(outs))
		}
	}
}

// TestRemembered checks what is not new because it was dropped.
func TestRemembered(t *testing.T) {
	p := newPlayer(t, Options{PerNode: 2})
	p.step(Stored{})
	var first []string
	arrive := func(delivery string, events ...string) int {
		before, dropped := len(p.m.ids), p.m.dropped
		p.run(Arrived{Events: p.incoming(delivery, "a/n", events)})
		return len(p.m.ids) - before + p.m.dropped - dropped
	}
	for i := range 100 {
		e := fmt.Sprintf("i%d=x@10:%02d:%02da", i, i/60, i%60)
		first = append(first, e)
		if n := arrive("catchup", e); n != 1 {
			t.Fatalf("%s: %d", e, n)
		}
	}
	if n := arrive("catchup", first...); n != 0 {
		t.Errorf("by catch-up %d came again", n)
	}
	for _, e := range first[64:98] { // their fingerprints are known
		e, _, _ = strings.Cut(e, "@")
		if n := arrive("live", e); n != 0 {
			t.Errorf("%s came again live", e)
		}
	}
	if n := arrive("catchup", "new=x@10:01:10a"); n != 1 {
		t.Errorf("a new event after the horizon: %d", n)
	}
	if n := arrive("catchup", "old=x@10:00:10a"); n != 0 {
		t.Errorf("an event before the horizon: %d", n)
	}
	if n := arrive("live", "late=atom:10:00:10"); n != 1 {
		t.Errorf("a live event with an old time in its payload: %d", n)
	}
	m := New(p.m.opts)
	m.Step(p.now, Stored{p.records()})
	arrive("live", "!purged")
	p.now = p.now.Add(time.Hour)
	arrive("live", "l1=x", "l2=x", "l3=x") // the purge is dropped
	if n := arrive("live", "!purged"); n != 1 {
		t.Errorf("a purge that happens again: %d", n)
	}
	p.m = m
	if got, want := fmt.Sprint(m.order[0].gone), fmt.Sprint(p.m.order[0].gone); got != want {
		t.Errorf("read %s, want %s", got, want)
	}
}

// TestCopyAfterReload checks that after a reload a copy of an item that was published again
// after a retraction is a copy of the second publication.
func TestCopyAfterReload(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	p.run(p.read("catchup 0 a/n i1=x@11:00:00a -i1@11:10:00a i1=x@11:20:00a"))
	want := p.list(Query{})
	p.m = New(p.m.opts)
	p.run(Stored{p.records()})
	p.run(p.read("catchup 0 a/n i1=x@11:20:00a"))
	if got := p.list(Query{}); got != want || len(p.m.ids) != 3 {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestSeals checks the digest. It stays the same in all versions of the program, as do the
// digests of payloads, because both are stored.
func TestSeals(t *testing.T) {
	got := fmt.Sprintf("%q %s", seal([]byte("some\x1ftext\x1f\x1eof two rows\x1f\x1e")), Digest(payload("x")))
	if want := `"some\x1ftext\x1f\x1eof two rows\x1f\x1e3isizb\x1f\x1e" 18ca3euh2hakw`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, body := range []string{"", "a\x1f\x1e", "a\x1fb\x1f\x1ec\x1f\x1e"} {
		value := seal([]byte(body))
		if r, ok := unseal(value); !ok || r.data != body {
			t.Errorf("%q: %q, %v", value, r.data, ok)
		}
		for i := range value {
			other := bytes.Clone(value)
			other[i]++
			if _, ok := unseal(other); ok {
				t.Errorf("%q counts as intact", other)
			}
			if _, ok := unseal(value[:i]); ok {
				t.Errorf("%q counts as intact", value[:i])
			}
		}
	}
}

func TestSortKey(t *testing.T) {
	places := []place{{-5, 1}, {0, 0}, {0, 7}, {3, 2}, {start.UnixMilli(), 1 << 60}, {start.UnixMilli() + 1, 0}}
	for i, p := range places {
		if got, ok := parsePlace(p.sortKey()); !ok || got != p {
			t.Errorf("%v: %v, %v", p, got, ok)
		}
		if i > 0 && places[i-1].sortKey() >= p.sortKey() {
			t.Errorf("%v is not before %v", places[i-1], p)
		}
	}
	for _, s := range []string{"", "x", strings.Repeat("g", 16) + strings.Repeat("0", 16), strings.Repeat("0", 16) + strings.Repeat("g", 16), strings.Repeat("0", 33)} {
		if _, ok := parsePlace(s); ok {
			t.Errorf("%q is a place", s)
		}
	}
}

// TestPurgedInTwoTabs has two tabs receive a purge, and what was published after it. The
// second one handles them when the first has stored all: they are copies.
func TestPurgedInTwoTabs(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	stanzas := []string{"live 1 a/n i1=x", "live 2 a/n !purged", "live 3 a/n i2=x", "live 4 a/n -i2", "live 5 a/n i2=y"}
	for _, line := range stanzas {
		p.run(p.read(line))
	}
	want := p.list(Query{})
	p.m = New(Options{})
	p.step(Stored{p.records()})
	for _, line := range stanzas {
		p.run(p.read(line))
	}
	if got := p.list(Query{}); got != want || strings.Count(want, "@") != len(stanzas) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestDamagedEmpty damages the meta record of an inbox without events.
func TestDamagedEmpty(t *testing.T) {
	for _, change := range []func(string) string{set(7, "x"), set(0, "0"), func(s string) string { return s + "1\x1f\x1e" }} {
		p := newPlayer(t, Options{})
		p.step(Stored{})
		if p.m.Loaded() != true || New(Options{}).Loaded() {
			t.Error("loaded")
		}
		p.run(Looked{})
		records := p.records()
		i := slices.IndexFunc(records, func(r store.Record) bool { return r.Key == MetaKey })
		text, _ := unseal(records[i].Value)
		records[i].Value = seal([]byte(change(text.data)))
		warned := false
		for _, out := range New(Options{}).Step(p.now, Stored{records}) {
			w, ok := out.(Warning)
			warned = warned || ok && errors.Is(w.Err, ErrDamaged)
		}
		if !warned {
			t.Errorf("%q is accepted", records[i].Value)
		}
	}
}
