package inbox

import (
	"fmt"
	"strings"
	"testing"
)

// TestPublished plays inputs, and checks which markers are published, and for when the timer
// is set.
func TestPublished(t *testing.T) {
	const (
		three = "live 1 a/n i1=x@11:00:00d i2=x@11:10:00d i3=x@11:20:00d"
		begin = "caughtup markersread"
	)
	for _, tt := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"an earlier event that comes late does not move it back", []string{"live 1 a/n i1=x@11:00:00d i3=x@11:20:00d", begin, "seen e1 e2", "published a/n i3@11:20:00d", "catchup 0 a/n i2=x@11:10:00a", "+10s", "marker a/n i3@11:20:00d"},
			"a/n i3@11:20:00d"},
		{"what a third device has put back is corrected once, and goes on afterwards", []string{"live 1 a/n i1=x@11:00:00d i2=x@11:10:00d i3=x@11:20:00d i4=x@11:30:00d", begin, "marker a/n i2@11:10:00d", "seen upto:e3",
			"published a/n i3@11:20:00d", "+10s", "marker a/n i1@11:00:00d", "published a/n i3@11:20:00d", "+10s", "marker a/n i1@11:00:00d", "+10s", "seen e4"},
			"a/n i3@11:20:00d, a/n i3@11:20:00d, a/n i4@11:30:00d"},
		{"what was replaced at first is corrected when it comes again", []string{three, begin, "marker a/n i1@11:00:00d", "seen e2", "published a/n i2@11:10:00d", "+10s", "marker a/n i1@11:00:00d"},
			"a/n i2@11:10:00d, a/n i2@11:10:00d"},
		{"one of an unknown item may be later", []string{three, begin, "marker a/n i9@11:05:00l", "seen e1"}, ""},
		{"one of an unknown item is earlier", []string{three, begin, "marker a/n i9@10:00:00d", "seen e1"}, "a/n i1@11:00:00d"},
		{"one of an unknown item is later", []string{three, begin, "marker a/n i9@11:05:00d", "seen e1"}, ""},
		{"one of an unknown item, when that of a known one was dropped", []string{three, begin, "marker a/n i1@11:00:00d", "live 2 a/n i4=x@11:30:00d i5=x@11:40:00d i6=x@11:50:00d", "marker a/n i9@11:55:00l"}, ""},
		{"the next one waits for the answer", []string{three, begin, "seen e1", "+10s", "seen e2"}, "a/n i1@11:00:00d"},
		{"the next one waits for its own answer", []string{three, begin, "seen e1", "published a/n i0@10:00:00d", "+10s", "seen e2"}, "a/n i1@11:00:00d"},
		{"the next one follows the answer", []string{three, begin, "seen e1", "+10s", "seen e2", "published a/n i1@11:00:00d"}, "a/n i1@11:00:00d, a/n i2@11:10:00d"},
		{"one that failed, when another device has published a later one", []string{three, begin, "seen e1", "marker a/n i2@11:10:00d", "unpublished a/n i1@11:00:00d", "+2m", "timer publish"}, "a/n i1@11:00:00d"},
		{"a catch-up of an earlier session does not count", []string{three, begin, "session", "markersread", "seen e1"}, ""},
		{"the catch-up of this session does", []string{three, begin, "session", "markersread", "seen e1", "caughtup"}, "a/n i1@11:00:00d"},
		{"of a node that is current", []string{"session", three, "markersread", "seen e1", "reached a n c1@11:30:00a current"}, "a/n i1@11:00:00d"},
		{"of a node that was read, but is not current", []string{"session", three, "markersread", "seen e1", "reached a n c1@11:30:00a"}, ""},
		{"answers for an unknown node, and of an earlier session", []string{three, begin, "seen e1", "published a/x i1@11:00:00d", "session", "published a/n i1@11:00:00d"}, "a/n i1@11:00:00d"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlayer(t, Options{PerNode: 5, Total: 8})
			p.step(Stored{})
			var lines []string
			for _, line := range tt.lines {
				if line == begin {
					lines = append(lines, strings.Fields(begin)...)
				} else {
					lines = append(lines, line)
				}
			}
			if got := p.play(lines...); got != tt.want {
				t.Errorf("published %s, want %s", got, tt.want)
			}
			p.readAgain()
		})
	}
}

// TestPublishedAgain ends a session in which as many markers are being published as are
// allowed: the next one publishes them.
func TestPublishedAgain(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	p.play("caughtup", "markersread")
	for i := range maxPublishing + 1 {
		p.play(fmt.Sprintf("live %d a/n%d i=x", i+1, i), fmt.Sprintf("seen e%d", i+1))
	}
	if got := strings.Count(p.play("session", "caughtup", "markersread"), "i@"); got != maxPublishing {
		t.Errorf("%d are published again", got)
	}
}

// TestReadInEarlierSession has a session end while what was read in it waits for a commit: it
// does not count in the next.
func TestReadInEarlierSession(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	p.step(p.read("live 1 a/n i1=x@11:00:00d"))
	for _, line := range []string{"markersread", "caughtup", "session"} {
		p.step(p.read(line))
	}
	p.run(p.read("ok"))
	for _, tt := range [][2]string{{"seen e1", ""}, {"markersread", ""}, {"caughtup", "a/n i1@11:00:00d"}} {
		if got := p.play(tt[0]); got != tt[1] {
			t.Errorf("%s: published %q", tt[0], got)
		}
	}
}
