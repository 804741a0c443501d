package listsync

import (
	"flag"
	"os/exec"
	"testing"

	"xmpp-pam/sdk/internal/mutate"
)

var flagMutants = flag.Bool("listsync.mutants", true, "run the mutation tests")

// The schedules or, where they cannot detect it, the transcripts must detect each
// mutant. A mutant fails if it survives, or if its edits no longer match the code.
var mutants = []struct {
	name        string
	transcripts bool // the schedules cannot detect it
	edits       []edit
}{
	{name: "the last version received is stored, as XEP-0376 §3.3 can be interpreted", edits: []edit{
		{"Machine.end", "assign settled", "$0\nif m.commit == nil && m.round != nil && len(m.buffer) > 0 {\nm.store(&commit{version: m.lastVersion})\n}"},
	}},
	{name: "an interrupted round commits the notifies received", edits: []edit{
		{"Machine.end", "assign settled", "$0\nif m.commit == nil && m.round != nil && len(m.buffer) > 0 {\nm.pendingLive = m.buffer\n}"},
	}},
	{name: "a full result is merged", edits: []edit{
		{"fullResult", "call listed", "$f(append(append([]pam.Subscription(nil), m.base.Rows()...), $1...), $2)"},
	}},
	{name: "notifies received during a round are applied to its full result", transcripts: true, edits: []edit{
		{"fullResult", "assign list", "$0\nfor _, h := range m.buffer[r.from:] {\nl := newLayer(list)\nl.apply(h.Items)\nlist = list.Apply(l.changes())\n}"},
	}},
	{name: "no round follows an outdated full result", transcripts: true, edits: []edit{
		{"fullResult", "|| lastVersion", "$1"},
	}},
	{name: "a noisy empty result commits", edits: []edit{
		{"emptyResult", "assign candidateVersion", "r.sent = $2"},
		{"emptyResult", "call retryRound 2/2", ""},
		{"emptyResult", "return 2/2", ""},
	}},
	{name: "notifies received during a round are discarded", edits: []edit{
		{"emptyResult", "call apply", "_ = h"},
	}},
	{name: "a stored list of a lower epoch is ignored", transcripts: true, edits: []edit{
		{"Machine.reload", "== Stamp", "$1.Epoch <= $2.Epoch"},
	}},
	{name: "an empty result is interpreted as an empty list", edits: []edit{
		{"Machine.result", "if Full", "true"},
	}},
	{name: "an empty list is interpreted as an empty result", edits: []edit{
		{"Machine.result", "if Full", "$0 && len(in.List) > 0"},
	}},
	{name: "the result of an earlier round is accepted", transcripts: true, edits: []edit{
		{"Machine.result", "|| Round", "$1"},
	}},
	{name: "a failed list request is not repeated without a version", edits: []edit{
		{"Machine.failed", "call requestRound", "$f(false)"},
	}},
	{name: "a dirty machine sets no timer", edits: []edit{
		{"Machine.Step", "all if timersSet", ""},
	}},
	{name: "a change is announced before it is committed", edits: []edit{
		{"Machine.store", "all call append", "$0\nm.base = c.next\nm.announce(c.changes, m.stamp.Version, c.list)"},
		{"Machine.committed", "assign base", "m.dropped, m.stamp = c.dropped, Stamp{c.epoch, c.version}"},
		{"Machine.committed", "call announce", "_ = from"},
	}},
	{name: "the version is kept after a notify without one", edits: []edit{
		{"commitLive", "assign pendingLive", "if version == \"\" {\nversion = m.stamp.Version\n}\n$0"},
	}},
	{name: "notifies received during a commit are discarded", edits: []edit{
		{"Machine.handleNotify", "all if settled", "if m.settled && m.commit != nil {\nreturn\n}\n$0"},
	}},
	{name: "after a conflict the same changes are written again", edits: []edit{
		{"Machine.conflict", "call adoptStored", "if c.whole == nil {\n$0\nw := newLayer(m.base)\nfor _, ch := range c.changes {\nif ch.After != nil {\nw.apply([]pam.Subscription{*ch.After})\n} else {\nw.apply([]pam.Subscription{{Key: ch.Before.Key, State: pam.StateNone}})\n}\n}\nm.store(&commit{changes: w.changes(), version: c.version})\nreturn\n}\n$0"},
	}},
	{name: "after a conflict the list is not requested", edits: []edit{
		{"Machine.conflict", "call dropLive", "m.commitDone(c)"},
	}},
	{name: "a list that lost to another tab is requested with that tab's version", transcripts: true, edits: []edit{
		{"Machine.conflict", "assign fullWanted", ""},
	}},
	{name: "a hint is adopted without requesting the list", edits: []edit{
		{"Machine.reload", "if Version", "true"},
	}},
	{name: "a round continues although its base list was replaced", edits: []edit{
		{"adoptStored", "assign baseChanged", "_ = m.round"},
	}},
	{name: "a session starts without a list request", edits: []edit{
		{"Machine.start", "assign lastVersion", `m.lastVersion, m.settled = m.stamp.Version, m.stamp.Version != ""`},
		{"Machine.start", "call requestRound", "if !m.settled {\n$0\n}"},
	}},
	{name: "a list without a version is considered current", edits: []edit{
		{"Machine.reload", "&& lastVersion", "$2"},
	}},
	{name: "a list restores dropped rows", edits: []edit{
		{"listed", "assign dropped", "kept = append(kept, s)"},
	}},
	{name: "a notify does not restore a dropped row", edits: []edit{
		{"layer.apply", "assign dropped", "_ = undrop"},
	}},
	{name: "a dropped row is forgotten", edits: []edit{
		{"listed", "assign dropped", "_ = s"},
	}},
	{name: "a list row without a subid is interpreted as another subscription", edits: []edit{
		{"listed", "if only", "false"},
	}},
	{name: "a notify without a subid is interpreted as another subscription", edits: []edit{
		{"layer.apply", "assign SubID", "_ = l.onlySubID"},
	}},
	{name: "an assumed subid is treated as confirmed", transcripts: true, edits: []edit{
		{"layer.apply", "if assumed SubID", "false"},
	}},
	{name: "state none without a subid removes only the entry without one", edits: []edit{
		{"layer.apply", "for base", `[]pam.Subscription{{Key: pam.Key{s.Service, s.Node, ""}}}`},
	}},
	{name: "delayed notifies are applied", edits: []edit{
		{"Machine.handleNotify", "case Delayed", "false"},
	}},
	{name: "equal content is committed", edits: []edit{
		{"Machine.store", "if changes", "false"},
	}},
	{name: "the overlay is not cleared", edits: []edit{
		{"Machine.commitDone", "assign buffer keep", "$1 = $1[:]"},
	}},
}

type edit = mutate.Edit

// TestMutantPlaces checks without running the mutants that their edits match the
// code.
func TestMutantPlaces(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) { mutate.Check(t, m.edits) })
	}
}

func TestMutants(t *testing.T) {
	if testing.Short() || !*flagMutants {
		t.Skip("not requested")
	}
	if raceEnabled {
		t.Skip("it starts separate builds, which the race detector does not cover")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not installed")
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			tests := "TestSchedules"
			if m.transcripts {
				tests = "TestTranscripts"
			}
			mutate.Find(t, m.edits, tests, "-listsync.seed=1", "-listsync.schedules=20000", "-listsync.shrink=false")
		})
	}
}
