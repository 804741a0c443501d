package inbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestDefaults checks the limits of an inbox without options, which users are told.
func TestDefaults(t *testing.T) {
	if got, want := New(Options{}).opts, (Options{PerNode: 500, Total: 20_000, Bytes: 64 << 20, Nodes: 20_000, page: 50}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestManyIntervals has another device connected more often than is remembered.
func TestManyIntervals(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	for i := range maxIntervals + 1 {
		p.run(p.read(fmt.Sprintf("elsewhere 11:%02d:00 11:%02d:30", i, i)))
	}
	p.run(p.read(fmt.Sprintf("catchup 0 a/n i1=x@11:00:15a i2=x@11:01:15a i3=x@11:%02d:15a i4=x@11:01:45a", maxIntervals)))
	if got, want := p.list(Query{}), "e3:i3=x@11:16:15a/elsewhere e4:i4=x@11:01:45a e2:i2=x@11:01:15a/elsewhere e1:i1=x@11:00:15a"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestJoinedIntervals has intervals that overlap or touch: they count as one, from the
// first moment to the last.
func TestJoinedIntervals(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	p.run(p.read("elsewhere 10:00:00 10:10:00"))
	for i := range maxIntervals {
		p.run(p.read(fmt.Sprintf("elsewhere 11:%02d:00 11:%02d:00", 30+i, 31+i)))
		p.run(p.read(fmt.Sprintf("elsewhere 11:%02d:00 11:%02d:00", 29-i, 30-i)))
	}
	p.run(p.read("elsewhere 11:45:00 10:30:00")) // the clock was set back
	p.run(p.read("elsewhere 11:20:00 11:25:00"))
	p.run(p.read("catchup 0 a/n i1=x@10:05:00a i2=x@11:14:00a i3=x@11:46:00a i4=x@11:13:59a i5=x@11:46:01a"))
	if got, want := p.list(Query{}), "e5:i5=x@11:46:01a e3:i3=x@11:46:00a/elsewhere e2:i2=x@11:14:00a/elsewhere e4:i4=x@11:13:59a e1:i1=x@10:05:00a/elsewhere"; got != want || len(p.m.elsewhere) != 2 {
		t.Errorf("got %s, want %s; %d intervals", got, want, len(p.m.elsewhere))
	}
}

// TestForgottenNodes has more nodes without events than are kept: those whose last event
// is the oldest are forgotten.
func TestForgottenNodes(t *testing.T) {
	p := newPlayer(t, Options{Nodes: 8, Total: 1})
	p.step(Stored{})
	p.play("session", "markersread", "caughtup")
	for i := range 12 {
		p.run(p.read(fmt.Sprintf("reached a n%d c%d@10:00:00a", i*7%12, i)))
		p.run(p.read(fmt.Sprintf("live %d a/n%d i=x@11:%02d:00d", i+1, i*7%12, i*7%12)))
	}
	for range 2 { // again when the records are read
		var names []string
		for _, n := range p.m.State().Nodes {
			names = append(names, n.Node)
		}
		if got, want := strings.Join(names, " "), "n7 n2 n9 n4 n11 n6 n8 n3 n10 n5"; got != want {
			t.Errorf("kept %s, want %s", got, want)
		}
		p.readAgain()
		p.m = New(p.m.opts)
		p.step(Stored{p.records()})
	}
}

// TestRememberedPurge drops an event without an item: a copy by an archive is known, but
// live it may have happened again.
func TestRememberedPurge(t *testing.T) {
	p := newPlayer(t, Options{PerNode: 2})
	p.step(Stored{})
	for _, line := range []string{"catchup 0 a/n !purged@10:00:00a i1=x@10:10:00a i2=x@10:20:00a", "catchup 0 a/n !purged@10:00:00a"} {
		p.run(p.read(line))
	}
	if p.m.dropped != 1 || len(p.m.ids) != 2 {
		t.Errorf("%d events, %d dropped", len(p.m.ids), p.m.dropped)
	}
	if p.run(p.read("live 1 a/n !purged")); p.m.dropped != 2 {
		t.Errorf("again live: %d dropped", p.m.dropped)
	}
}

// TestPrints reads fingerprints as they are stored, and refuses what no memory can hold.
func TestPrints(t *testing.T) {
	for _, n := range []int{0, 1, remembered} {
		prints := make([]uint32, n)
		for i := range prints {
			prints[i] = uint32(i) << 24
		}
		if got, ok := unpackPrints(packPrints(prints)); !ok || !slices.Equal(got, prints) {
			t.Errorf("%d: %v, %v", n, got, ok)
		}
	}
	for _, text := range []string{"!", "AAAA", packPrints(make([]uint32, remembered+1))} {
		if _, ok := unpackPrints(text); ok {
			t.Errorf("%q is accepted", text)
		}
	}
}

// TestExactBytes has as many bytes as are allowed, and one more.
func TestExactBytes(t *testing.T) {
	lines := []string{"live 1 a/n i1=x", "live 2 a/n i2=x", "live 3 a/n i3=x"}
	p := newPlayer(t, Options{})
	p.step(Stored{})
	p.play(lines...)
	for less, want := range []string{"e3:i3=x@12:00:00l e2:i2=x@12:00:00l e1:i1=x@12:00:00l", "e3:i3=x@12:00:00l e2:i2=x@12:00:00l"} {
		q := newPlayer(t, Options{Bytes: p.m.bytes - less})
		q.step(Stored{})
		q.play(lines...)
		for range 2 { // again when the records are read
			if got := q.list(Query{}); got != want {
				t.Errorf("%d bytes less: listed %s", less, got)
			}
			q.play("reload")
		}
	}
}

// TestManyLive receives more live events than are remembered to have come live: that what was
// retracted is published again is still recognised.
func TestManyLive(t *testing.T) {
	p := newPlayer(t, Options{PerNode: 6, Total: 6})
	p.step(Stored{})
	for i := range 10 {
		for range 2 {
			p.play(fmt.Sprintf("live 1 a/n i%d=x", i), fmt.Sprintf("live 1 a/n -i%d", i))
		}
	}
	if got := p.m.dropped + len(p.m.ids); got != 40 {
		t.Errorf("%d events", got)
	}
}
