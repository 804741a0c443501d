package inbox

import (
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/pam"
)

// TestOddMarkers takes markers of other programs. A time of an unknown source is that of a
// clock, and so is a source without a time: neither shows what was seen before an unknown item.
func TestOddMarkers(t *testing.T) {
	long := strings.Repeat("x", maxName)
	for _, tt := range []struct {
		name   string
		marker pam.Marker
		want   string
	}{
		{"an unknown source", pam.Marker{ItemID: "i9", At: start.Add(-time.Hour), TimeSource: "sundial"}, "/unknown"},
		{"no time", pam.Marker{ItemID: "i9", TimeSource: pam.TimeArchive}, "/unknown"},
		{"the longest item", pam.Marker{ItemID: long, At: start, TimeSource: pam.TimeDelay}, "/displayed"},
		{"a longer item", pam.Marker{ItemID: long + "x", At: start, TimeSource: pam.TimeDelay}, ""},
		{"no item", pam.Marker{At: start, TimeSource: pam.TimeDelay}, ""},
	} {
		p := newPlayer(t, Options{})
		p.step(Stored{})
		p.run(p.read("catchup 0 a/n i1=x@11:30:00a"))
		tt.marker.Service, tt.marker.Node = "a", "n"
		p.run(RemoteMarkers{Markers: []pam.Marker{tt.marker}})
		if got := p.list(Query{}); got != "e1:i1=x@11:30:00a"+tt.want {
			t.Errorf("%s: listed %s", tt.name, got)
		}
	}
}

// TestMerged checks that a marker is published with the latest revision that it takes into
// account.
func TestMerged(t *testing.T) {
	p := newPlayer(t, Options{})
	p.step(Stored{})
	p.run(p.read("live 1 a/n i1=x"))
	p.run(p.read("markersread"))
	p.run(p.read("caughtup"))
	for _, revision := range []uint64{3, 7, 5} {
		p.run(RemoteMarkers{Revision: revision})
	}
	p.step(p.read("seen e1"))
	p.commit()
	for _, out := range p.step(Committed{p.last.Seq}) {
		if k, ok := out.(PublishMarker); ok {
			if k.Merged != 7 {
				t.Errorf("merged %d", k.Merged)
			}
			return
		}
	}
	t.Error("no marker is published")
}
