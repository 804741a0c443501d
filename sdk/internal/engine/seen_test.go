package engine

import (
	"fmt"
	"testing"
	"time"
)

// TestDevices reports presence of other devices: since when one is connected is reported
// when it comes, when an earlier time becomes known, and when it leaves. No more than
// maxDevices are remembered.
func TestDevices(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 11, 22, 9, minute, 0, 0, time.UTC) }
	var full []devicePresence
	for i := range maxDevices {
		full = append(full, devicePresence{fmt.Sprint("other", i), at(10)})
	}
	for _, tt := range []struct {
		name   string
		before []devicePresence
		in     devicePresence
		want   []liveElsewhere
		known  int
	}{
		{"comes", nil, devicePresence{"a", at(10)}, []liveElsewhere{{at(10), at(30)}}, 1},
		{"leaves", []devicePresence{{"a", at(10)}}, devicePresence{name: "a"}, []liveElsewhere{{at(10), at(30)}}, 0},
		{"leaves, without having come", []devicePresence{{"a", at(10)}}, devicePresence{name: "b"}, nil, 1},
		{"was there before", []devicePresence{{"a", at(10)}}, devicePresence{"a", at(5)}, []liveElsewhere{{at(5), at(30)}}, 1},
		{"the same time", []devicePresence{{"a", at(10)}}, devicePresence{"a", at(10)}, nil, 1},
		{"a later time", []devicePresence{{"a", at(10)}}, devicePresence{"a", at(15)}, nil, 1},
		{"one too many", full, devicePresence{"a", at(5)}, nil, maxDevices},
		{"the last one", full[1:], devicePresence{"a", at(5)}, []liveElsewhere{{at(5), at(30)}}, maxDevices},
		{"one of as many as are remembered was there before", full, devicePresence{"other3", at(5)}, []liveElsewhere{{at(5), at(30)}}, maxDevices},
		{"one of as many as are remembered leaves", full, devicePresence{name: "other3"}, []liveElsewhere{{at(10), at(30)}}, maxDevices - 1},
	} {
		var got []liveElsewhere
		s := newSeen(&loop{now: at(30)}, nil, nil, nil, func(m message) { got = append(got, m.(liveElsewhere)) })
		for _, d := range tt.before {
			s.takeDevice(d)
		}
		got = nil
		s.takeDevice(tt.in)
		if fmt.Sprint(got) != fmt.Sprint(tt.want) || len(s.devices) != tt.known {
			t.Errorf("%s: reported %v, want %v; %d are known, want %d", tt.name, got, tt.want, len(s.devices), tt.known)
		}
	}
}
