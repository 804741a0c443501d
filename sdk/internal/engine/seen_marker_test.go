package engine

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/privatepep"
	"xmpp-pam/sdk/pam"
)

// TestMarkerCodec writes and reads markers.
func TestMarkerCodec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ -~ä€😀]{1,40}`)
		k := pam.Marker{Service: text.Draw(t, "service"), Node: text.Draw(t, "node"), ItemID: text.Draw(t, "item"), TimeSource: pam.TimeLocalClock}
		if rapid.Bool().Draw(t, "timed") {
			k.At = time.UnixMilli(rapid.Int64Range(-62135596800000+1, 253402300799999).Draw(t, "at")).UTC()
			k.TimeSource = rapid.SampledFrom([]pam.TimeSource{pam.TimeDelay, pam.TimeArchive, pam.TimePayload, pam.TimeLocalClock}).Draw(t, "source")
		}
		e, err := element.Parse(encodeMarker(k).String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		key := markerKey(k.Service, k.Node)
		if got, ok := decodeMarker(key, e); !ok || got != k {
			t.Fatalf("got %+v, %v, want %+v", got, ok, k)
		}
		if got, ok := decodeMarker(key+"0", e); ok {
			t.Fatalf("another key gave %+v", got)
		}
		if rank := markerRank(key, e); !k.At.IsZero() && rank != k.At.UnixMilli() {
			t.Fatalf("the rank is %d", rank)
		}
	})
}

// TestMarkerText fixes the text, which other versions of the program read.
func TestMarkerText(t *testing.T) {
	k := pam.Marker{Service: "pubsub.example.org", Node: "news", ItemID: "ae890ac5", At: time.Date(2026, 11, 22, 10, 47, 39, 5e8, time.FixedZone("", 3600)), TimeSource: pam.TimeArchive}
	const want = "<seen xmlns='urn:xmpp-pam:seen:0' service='pubsub.example.org' node='news' item='ae890ac5' at='2026-11-22T09:47:39.5Z' source='archive'/>"
	key, text := Marker(k)
	if text != want || key != "a99db8184e2528c13606cd356a458c12343d0de6" {
		t.Errorf("got %s %s", key, text)
	}
}

// TestMarkerLimits reads what is not a marker.
func TestMarkerLimits(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	for text, ok := range map[string]bool{
		"<seen xmlns='urn:xmpp-pam:seen:0' service='s' node='n' item='i'/>":                                           true,
		"<seen xmlns='urn:xmpp-pam:seen:0' service='s' node='n' item='i' at='soon' source='archive'/>":                true,
		"<seen xmlns='urn:xmpp-pam:seen:0' service='s' node='n' item='i' at='2026-11-22T09:47:39Z' source='future'/>": true,
		"<seen xmlns='urn:xmpp-pam:seen:0' service='s' node='n' item=''/>":                                            false,
		"<seen xmlns='urn:xmpp-pam:seen:0' service='s' node='n'/>":                                                    false,
		"<seen xmlns='urn:xmpp-pam:seen:1' service='s' node='n' item='i'/>":                                           false,
		"<saw xmlns='urn:xmpp-pam:seen:0' service='s' node='n' item='i'/>":                                            false,
		"<seen xmlns='urn:xmpp-pam:seen:0' service='s' node='m' item='i'/>":                                           false,
		"<seen xmlns='urn:xmpp-pam:seen:0' service='s' node='n' item='" + long(4096) + "'/>":                          true,
		"<seen xmlns='urn:xmpp-pam:seen:0' service='s' node='n' item='" + long(4097) + "'/>":                          false,
		"<seen xmlns='urn:xmpp-pam:seen:0' xmlns:x='urn:x' x:service='s' service='t' node='n' item='i'/>":             false,
	} {
		e, err := element.Parse(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		if k, got := decodeMarker(markerKey("s", "n"), e); got != ok || ok && (k.TimeSource != pam.TimeLocalClock) {
			t.Errorf("%.100s: %v %+v", text, got, k)
		}
	}
	for _, k := range []pam.Marker{{Service: long(2048), Node: "n", ItemID: "i"}, {Service: "s", Node: long(4097), ItemID: "i"}} {
		if _, ok := decodeMarker(markerKey(k.Service, k.Node), encodeMarker(k)); ok {
			t.Errorf("a long name is accepted")
		}
	}
	if _, ok := decodeMarker(markerKey("s", "n"), nil); ok {
		t.Error("nothing is a marker")
	}
	if size := len(encodeMarker(pam.Marker{Service: long(2047), Node: long(4096), ItemID: long(4096), At: time.Now()}).String()); size > privatepep.MaxPayload {
		t.Errorf("the longest marker has %d bytes", size)
	}
}

// TestMarkerRank ranks markers by their times. One without a time, and what is no marker,
// comes last.
func TestMarkerRank(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 47, 39, 0, time.UTC)
	timed := encodeMarker(pam.Marker{Service: "s", Node: "n", ItemID: "i", At: at, TimeSource: pam.TimeDelay})
	for _, tt := range []struct {
		name    string
		key     string
		payload *element.Element
		want    int64
	}{
		{"a time", markerKey("s", "n"), timed, at.UnixMilli()},
		{"no time", markerKey("s", "n"), encodeMarker(pam.Marker{Service: "s", Node: "n", ItemID: "i"}), 0},
		{"the key of another node", markerKey("s", "m"), timed, 0},
		{"no payload", markerKey("s", "n"), nil, 0},
	} {
		if got := markerRank(tt.key, tt.payload); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
