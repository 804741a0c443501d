package listsync

import (
	"flag"
	"os/exec"
	"testing"

	"xmpp-pam/sdk/internal/mutate"
)

var flagMutants = flag.Bool("listsync.mutants", true, "check that the tests find planted mistakes")

// Mutants are mistakes that somebody could make. The schedules or, where they
// cannot tell, the transcripts must find each. A mutant that survives, or whose
// place is no longer in the code, fails.
var mutants = []struct {
	name        string
	transcripts bool // the schedules cannot find it
	edits       []edit
}{
	{name: "the last version heard is stored, as XEP-0376 §3.3 can be read", edits: []edit{
		{"Machine.end", "assign settled", "$0\nif m.commit == nil && m.round != nil && len(m.heard) > 0 {\nm.store(&commit{version: m.lastVersion})\n}"},
	}},
	{name: "a round that is cut commits what was heard", edits: []edit{
		{"Machine.end", "assign settled", "$0\nif m.commit == nil && m.round != nil && len(m.heard) > 0 {\nm.pendingLive = m.heard\n}"},
	}},
	{name: "a full result is merged", edits: []edit{
		{"fullResult", "call listed", "$f(append(append([]pam.Subscription(nil), m.base.Rows()...), $1...), $2)"},
	}},
	{name: "what was heard is applied to a full result", transcripts: true, edits: []edit{
		{"fullResult", "assign list", "$0\nfor _, h := range m.heard[r.from:] {\nl := newLayer(list)\nl.apply(h.Items)\nlist = list.Apply(l.changes())\n}"},
	}},
	{name: "an old full result is not asked about", transcripts: true, edits: []edit{
		{"fullResult", "|| lastVersion", "$1"},
	}},
	{name: "a noisy empty result commits", edits: []edit{
		{"emptyResult", "assign candidateVersion", "r.sent = $2"},
		{"emptyResult", "call retryRound 2/2", ""},
		{"emptyResult", "return 2/2", ""},
	}},
	{name: "what was heard in a round is dropped", edits: []edit{
		{"emptyResult", "call apply", "_ = h"},
	}},
	{name: "a stored list of a lower epoch is ignored", transcripts: true, edits: []edit{
		{"Machine.reload", "== Stamp", "$1.Epoch <= $2.Epoch"},
	}},
	{name: "an empty result is taken for an empty list", edits: []edit{
		{"Machine.result", "if Full", "true"},
	}},
	{name: "an empty list is taken for an empty result", edits: []edit{
		{"Machine.result", "if Full", "$0 && len(in.List) > 0"},
	}},
	{name: "the result of a forgotten round counts", transcripts: true, edits: []edit{
		{"Machine.result", "|| Round", "$1"},
	}},
	{name: "a failed list is not tried without a version", edits: []edit{
		{"Machine.failed", "call requestRound", "$f(false)"},
	}},
	{name: "a dirty machine waits for ever", edits: []edit{
		{"Machine.Step", "all if timersSet", ""},
	}},
	{name: "announce before commit", edits: []edit{
		{"Machine.store", "all call append", "$0\nm.base = c.next\nm.announce(c.changes, m.stamp.Version, c.list)"},
		{"Machine.committed", "assign base", "m.dropped, m.stamp = c.dropped, Stamp{c.epoch, c.version}"},
		{"Machine.committed", "call announce", "_ = from"},
	}},
	{name: "the version is kept after a notify without one", edits: []edit{
		{"commitLive", "assign pendingLive", "if version == \"\" {\nversion = m.stamp.Version\n}\n$0"},
	}},
	{name: "what is heard during a commit is dropped", edits: []edit{
		{"Machine.handleNotify", "all if settled", "if m.settled && m.commit != nil {\nreturn\n}\n$0"},
	}},
	{name: "after a conflict the same is written again", edits: []edit{
		{"Machine.conflict", "call adoptStored", "if c.whole == nil {\n$0\nw := newLayer(m.base)\nfor _, ch := range c.changes {\nif ch.After != nil {\nw.apply([]pam.Subscription{*ch.After})\n} else {\nw.apply([]pam.Subscription{{Key: ch.Before.Key, State: pam.StateNone}})\n}\n}\nm.store(&commit{changes: w.changes(), version: c.version})\nreturn\n}\n$0"},
	}},
	{name: "after a conflict no list is asked for", edits: []edit{
		{"Machine.conflict", "call dropLive", "m.commitDone(c)"},
	}},
	{name: "a list that lost to another tab is requested with that tab's version", transcripts: true, edits: []edit{
		{"Machine.conflict", "assign fullWanted", ""},
	}},
	{name: "a hint is taken over and nothing else", edits: []edit{
		{"Machine.reload", "if Version", "true"},
	}},
	{name: "a round goes on with a list that was replaced under it", edits: []edit{
		{"adoptStored", "assign baseChanged", "_ = m.round"},
	}},
	{name: "a session begins without a list", edits: []edit{
		{"Machine.start", "assign lastVersion", `m.lastVersion, m.settled = m.stamp.Version, m.stamp.Version != ""`},
		{"Machine.start", "call requestRound", "if !m.settled {\n$0\n}"},
	}},
	{name: "a list without a version is taken for the newest", edits: []edit{
		{"Machine.reload", "&& lastVersion", "$2"},
	}},
	{name: "a list brings dropped rows back", edits: []edit{
		{"listed", "assign dropped", "kept = append(kept, s)"},
	}},
	{name: "a notify brings no dropped row back", edits: []edit{
		{"layer.apply", "assign dropped", "_ = undrop"},
	}},
	{name: "a dropped row is forgotten", edits: []edit{
		{"listed", "assign dropped", "_ = s"},
	}},
	{name: "a list that names no subid names another subscription", edits: []edit{
		{"listed", "if only", "false"},
	}},
	{name: "a notify that names no subid names another subscription", edits: []edit{
		{"layer.apply", "assign SubID", "_ = l.onlySubID"},
	}},
	{name: "a subid that a list left out is believed", transcripts: true, edits: []edit{
		{"layer.apply", "if assumed SubID", "false"},
	}},
	{name: "none without a subid removes only the entry without one", edits: []edit{
		{"layer.apply", "for base", `[]pam.Subscription{{Key: pam.Key{s.Service, s.Node, ""}}}`},
	}},
	{name: "delayed notifies are applied", edits: []edit{
		{"Machine.handleNotify", "case Delayed", "false"},
	}},
	{name: "equal content is committed", edits: []edit{
		{"Machine.store", "if changes", "false"},
	}},
	{name: "the overlay stays", edits: []edit{
		{"Machine.commitDone", "assign heard keep", "$1 = $1[:]"},
	}},
}

type edit = mutate.Edit

// TestMutantPlaces: a renamed function is found without a run of TestMutants.
func TestMutantPlaces(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) { mutate.Check(t, m.edits) })
	}
}

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
			mutate.Find(t, m.edits, tests, "-listsync.seed=1", "-listsync.schedules=20000", "-listsync.shrink=false")
		})
	}
}
