package privatepep

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestTransientErrors checks which errors make a request wait and be repeated, and which
// are a refusal: besides some conditions, the type says so, whatever the condition.
func TestTransientErrors(t *testing.T) {
	const create, attempts = "create", 6
	requests := []struct {
		kind    string
		lines   []string // until the request is made
		request string   // that is repeated
		refusal string   // what follows otherwise
	}{
		{"check", []string{"# ready", "put c=3"}, "check 3", "unsupported unreadable"},
		{"publish", []string{"# private", "put c=4"}, "publish 3 c=4", "dropped c refused"},
		{"retract", []string{"# ready", "remove a"}, "retract 3 a", "dropped a refused"},
		{"read", []string{"session", "nodes 3"}, "items 3", ""}, // always repeated
		{create, []string{"session", "nodes", "put a=1"}, "create 3 max", "unsupported creation refused"},
	}
	for _, tt := range []struct {
		err       string
		transient bool
	}{
		{"wait policy-violation", true},
		{"wait forbidden", true},
		{"wait undefined-condition", true},
		{"wait not-acceptable", true},
		{"wait feature-not-implemented", true},
		{"wait resource-constraint", true},
		{"cancel resource-constraint", true},
		{"modify resource-constraint", true},
		{"cancel service-unavailable", true},
		{"cancel internal-server-error", true},
		{"cancel remote-server-timeout", true},
		{"cancel policy-violation", false},
		{"modify policy-violation", false},
		{"auth forbidden", false},
		{"cancel undefined-condition", false},
		{"cancel not-allowed", false},
	} {
		for _, r := range requests {
			s := &script{m: NewMachine(Config{"base", rank}), now: start}
			in := func(line string) (got []string) {
				for _, out := range s.m.Step(s.now, s.read(t, line)) {
					got = append(got, s.write(out))
				}
				return got
			}
			var last []string
			for _, line := range r.lines {
				if name, ok := strings.CutPrefix(line, "# "); ok {
					for _, line := range preambles[name] {
						in(line)
					}
					continue
				}
				last = in(line)
			}
			name := fmt.Sprint(tt.err, " to ", r.kind)
			if !slices.Contains(last, r.request) {
				t.Fatalf("%s: %q instead of the request", name, last)
			}
			if r.kind == create { // Each configuration is tried first.
				for range attempts - 1 {
					in("error " + tt.err)
				}
			}
			got, again := in("error "+tt.err), []string(nil)
			waits := slices.ContainsFunc(got, func(s string) bool { return s == "timer 5s" })
			if waits {
				again = in("wait 5s")
			}
			switch {
			case tt.transient || r.refusal == "":
				if !waits || !slices.Contains(again, r.request) || slices.ContainsFunc(got, refusal) {
					t.Errorf("%s: %q, then %q", name, got, again)
				}
			case waits || !slices.Contains(got, r.refusal):
				t.Errorf("%s: %q, want %q", name, got, r.refusal)
			}
		}
	}
}

// refusal reports whether an output gives something up.
func refusal(out string) bool {
	return strings.HasPrefix(out, "dropped") || strings.HasPrefix(out, "unsupported") || strings.HasPrefix(out, "warning")
}
