package listsync

import (
	"flag"
	"os/exec"
	"testing"

	"xmpp-pam/sdk/internal/mutate"
)

var flagMutants = flag.Bool("listsync.mutants", true, "check that the tests find planted mistakes")

// Mutants are mistakes that somebody could make. Each replaces pieces of the
// package, and the schedules or, where they cannot tell, the transcripts must
// find it. A mutant that survives, or whose pieces are no longer in the code,
// fails.
var mutants = []struct {
	name        string
	transcripts bool // the schedules cannot find it
	edits       []edit
}{
	{name: "the last version heard is stored, as XEP-0376 §3.3 can be read", edits: []edit{
		{"machine.go", "m.settled = false\n", "m.settled = false\nif m.commit == nil && m.round != nil && len(m.heard) > 0 {\nm.store(&commit{version: m.newest})\n}\n"},
	}},
	{name: "a round that is cut commits what was heard", edits: []edit{
		{"machine.go", "m.settled = false\n", "m.settled = false\nif m.commit == nil && m.round != nil && len(m.heard) > 0 {\nm.live = m.heard\n}\n"},
	}},
	{name: "a full result is merged", edits: []edit{
		{"round.go", "m.listed(in.List,", "m.listed(append(append([]pam.Subscription(nil), m.base.Rows()...), in.List...),"},
	}},
	{name: "what was heard is applied to a full result", transcripts: true, edits: []edit{
		{"round.go", "list, dropped := m.listed(in.List, in.Version)\n", "list, dropped := m.listed(in.List, in.Version)\nfor _, h := range m.heard[r.from:] {\nl := newLayer(list)\nl.apply(h.Items)\nlist = list.Apply(l.changes())\n}\n"},
	}},
	{name: "an old full result is not asked about", transcripts: true, edits: []edit{
		{"round.go", " || m.newest != \"\" && m.newest != in.Version", ""},
	}},
	{name: "a noisy empty result commits", edits: []edit{
		{"round.go", "m.claim = heard[len(heard)-1].Version\n\t\tm.again()\n\t\treturn", "r.sent = heard[len(heard)-1].Version"},
	}},
	{name: "what was heard in a round is dropped", edits: []edit{
		{"round.go", "m.work.apply(h.Items)", "_ = h"},
	}},
	{name: "a stored list of a lower epoch is ignored", transcripts: true, edits: []edit{
		{"commit.go", "if d.Stamp == m.stamp {", "if d.Epoch <= m.stamp.Epoch {"},
	}},
	{name: "an empty result is taken for an empty list", edits: []edit{
		{"round.go", "if in.Full {", "if in.Full || true {"},
	}},
	{name: "an empty list is taken for an empty result", edits: []edit{
		{"round.go", "if in.Full {", "if in.Full && len(in.List) > 0 {"},
	}},
	{name: "the result of a forgotten round counts", transcripts: true, edits: []edit{
		{"round.go", "if r == nil || in.Round != r.id {\n\t\treturn\n\t}\n\tm.round = nil\n\tif", "if r == nil {\n\t\treturn\n\t}\n\tm.round = nil\n\tif"},
	}},
	{name: "a failed list is not tried without a version", edits: []edit{
		{"round.go", "m.wish(true)\n", "m.wish(false)\n"},
	}},
	{name: "a dirty machine waits for ever", edits: []edit{
		{"machine.go", "if m.armed {\n\t\t\tm.wish(false)\n\t\t}", ""},
	}},
	{name: "announce before commit", edits: []edit{
		{"commit.go", "m.out = append(m.out, out)\n", "m.out = append(m.out, out)\nm.base = m.wanted(c)\nm.announce(c.changes, m.stamp.Version, c.list)\n"},
		{"commit.go", "m.base, m.dropped, m.stamp = m.wanted(c), c.dropped,", "m.dropped, m.stamp = c.dropped,"},
		{"commit.go", "\tm.announce(c.changes, from, c.list)\n", "_ = from\n"},
	}},
	{name: "the version is kept after a notify without one", edits: []edit{
		{"commit.go", "\tm.live = nil\n\tm.store(", "\tif version == \"\" {\nversion = m.stamp.Version\n}\n\tm.live = nil\n\tm.store("},
	}},
	{name: "what is heard during a commit is dropped", edits: []edit{
		{"machine.go", "if m.settled {\n\t\tm.live", "if m.settled && m.commit != nil {\nreturn\n}\nif m.settled {\n\t\tm.live"},
	}},
	{name: "after a conflict the same is written again", edits: []edit{
		{"commit.go", "m.adopt(in.Durable)\n\tif", "if c.whole == nil {\nm.adopt(in.Durable)\nw := newLayer(m.base)\nfor _, ch := range c.changes {\nif ch.After != nil {\nw.apply([]pam.Subscription{*ch.After})\n} else {\nw.apply([]pam.Subscription{{Key: ch.Before.Key, State: pam.StateNone}})\n}\n}\nm.store(&commit{changes: w.changes(), version: c.version})\nreturn\n}\nm.adopt(in.Durable)\n\tif"},
	}},
	{name: "after a conflict no list is asked for", edits: []edit{
		{"commit.go", "m.done(c)\n\t\treturn\n\t}\n\tm.distrust()", "m.done(c)\n\t\treturn\n\t}\n\tm.done(c)"},
	}},
	{name: "a hint is taken over and nothing else", edits: []edit{
		{"commit.go", "if d.Version != \"\" && d.Version == m.newest {", "if true {"},
	}},
	{name: "a round goes on with a list that was replaced under it", edits: []edit{
		{"commit.go", "m.round.moved = true", "_ = m.round"},
	}},
	{name: "a session begins without a list", edits: []edit{
		{"machine.go", "\"\", nil\n\tm.wish(full)", "\"\", nil\n\tm.newest, m.settled = m.stamp.Version, m.stamp.Version != \"\"\n\tif !m.settled {\nm.wish(full)\n}"},
	}},
	{name: "a list without a version is taken for the newest", edits: []edit{
		{"commit.go", "d.Version != \"\" && d.Version == m.newest", "d.Version == m.newest"},
	}},
	{name: "a list brings dropped rows back", edits: []edit{
		{"round.go", "dropped = append(dropped, s)", "kept = append(kept, s)"},
	}},
	{name: "a notify brings no dropped row back", edits: []edit{
		{"layer.go", "l.dropped = undrop(l.dropped, s, assumed)", "_ = undrop"},
	}},
	{name: "a dropped row is forgotten", edits: []edit{
		{"round.go", "dropped = append(dropped, s)", "_ = s"},
	}},
	{name: "a list that names no subid names another subscription", edits: []edit{
		{"round.go", "if s.SubID = m.shown.onlySubID(s.Service, s.Node); s.SubID != \"\" {", "if false {"},
	}},
	{name: "a notify that names no subid names another subscription", edits: []edit{
		{"layer.go", "s.SubID = l.onlySubID(s.Service, s.Node)", "_ = l.onlySubID"},
	}},
	{name: "a subid that a list left out is believed", transcripts: true, edits: []edit{
		{"layer.go", "if assumed != s.SubID {", "if false {"},
	}},
	{name: "none without a subid removes only the entry without one", edits: []edit{
		{"layer.go", "for _, known := range l.under.at(s.Service, s.Node) {", "for _, known := range []pam.Subscription{{Key: pam.Key{Service: s.Service, Node: s.Node}}} {"},
	}},
	{name: "delayed notifies are applied", edits: []edit{
		{"machine.go", "case h.Delayed:\n\t\tm.wish(false) // rule 8\n\t\treturn", "case h.Delayed:"},
	}},
	{name: "equal content is committed", edits: []edit{
		{"commit.go", "if len(c.changes) == 0 && c.version == m.stamp.Version && slices.Equal(c.dropped, m.dropped) {", "if false {"},
	}},
	{name: "the overlay stays", edits: []edit{
		{"commit.go", "m.heard = m.heard[c.keep:]; len", "m.heard = m.heard[:]; len"},
	}},
}

type edit = mutate.Edit

func TestMutants(t *testing.T) {
	if testing.Short() || !*flagMutants {
		t.Skip("not asked for")
	}
	if raceEnabled {
		t.Skip("it starts builds of its own, which the race detector does not see")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command")
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			tests := "TestSchedules"
			if m.transcripts {
				tests = "TestTranscripts"
			}
			mutate.Find(t, m.edits, ".", tests, "-listsync.seed=1", "-listsync.schedules=20000", "-listsync.shrink=false")
		})
	}
}
