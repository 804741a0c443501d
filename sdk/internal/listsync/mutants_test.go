package listsync

import (
	"flag"
	"testing"

	"xmpp-pam/sdk/internal/mutate"
)

var flagMutants = flag.Bool("listsync.mutants", true, "run the mutation tests")

// The schedules or, where they cannot detect it, the transcripts must detect each
// mutant. A mutant fails if it survives, or if its edits no longer match the code.
var mutants = []mutate.Mutant{
	{Name: "the last version received is stored, as XEP-0376 §3.3 can be interpreted", Edits: []edit{
		{"listsync.Machine.end", "assign settled", "$0\nif m.commit == nil && m.round != nil && len(m.buffer) > 0 {\nm.store(&commit{version: m.lastVersion})\n}"},
	}},
	{Name: "an interrupted round commits the notifies received", Edits: []edit{
		{"listsync.Machine.end", "assign settled", "$0\nif m.commit == nil && m.round != nil && len(m.buffer) > 0 {\nm.pendingLive = m.buffer\n}"},
	}},
	{Name: "a full result is merged", Edits: []edit{
		{"listsync.Machine.fullResult", "call listed", "$f(append(append([]pam.Subscription(nil), m.base.Rows()...), $1...), $2)"},
	}},
	{Name: "notifies received during a round are applied to its full result", Tests: "TestTranscripts", Edits: []edit{
		{"listsync.Machine.fullResult", "assign list", "$0\nfor _, h := range m.buffer[r.from:] {\nl := newLayer(list)\nl.apply(h.Items)\nlist = list.Apply(l.changes())\n}"},
	}},
	{Name: "no round follows an outdated full result", Tests: "TestTranscripts", Edits: []edit{
		{"listsync.Machine.fullResult", "|| lastVersion", "$1"},
	}},
	{Name: "a noisy empty result commits", Edits: []edit{
		{"listsync.Machine.emptyResult", "assign candidateVersion", "r.sent = $2"},
		{"listsync.Machine.emptyResult", "call retryRound 2/2", ""},
		{"listsync.Machine.emptyResult", "return 2/2", ""},
	}},
	{Name: "notifies received during a round are discarded", Edits: []edit{
		{"listsync.Machine.emptyResult", "call apply", "_ = h"},
	}},
	{Name: "a stored list of a lower epoch is ignored", Tests: "TestTranscripts", Edits: []edit{
		{"listsync.Machine.reload", "== Stamp", "$1.Epoch <= $2.Epoch"},
	}},
	{Name: "an empty result is interpreted as an empty list", Edits: []edit{
		{"listsync.Machine.result", "if Full", "true"},
	}},
	{Name: "an empty list is interpreted as an empty result", Edits: []edit{
		{"listsync.Machine.result", "if Full", "$0 && len(in.List) > 0"},
	}},
	{Name: "the result of an earlier round is accepted", Tests: "TestTranscripts", Edits: []edit{
		{"listsync.Machine.result", "|| Round", "$1"},
	}},
	{Name: "a failed list request is not repeated without a version", Edits: []edit{
		{"listsync.Machine.failed", "call requestRound", "$f(false)"},
	}},
	{Name: "a dirty machine sets no timer", Edits: []edit{
		{"listsync.Machine.Step", "all if timersSet", ""},
	}},
	{Name: "a change is announced before it is committed", Edits: []edit{
		{"listsync.Machine.store", "all call append", "$0\nm.base = c.next\nm.out = append(m.out, Changed{Changes: c.changes, From: m.stamp.Version, To: c.version, Resync: c.list})"},
		{"listsync.Machine.committed", "assign base", "m.dropped, m.stamp = c.dropped, Stamp{c.epoch, c.version}"},
		{"listsync.Machine.committed", "assign out", "_ = from"},
	}},
	{Name: "the version is kept after a notify without one", Edits: []edit{
		{"listsync.Machine.commitLive", "assign pendingLive", "if version == \"\" {\nversion = m.stamp.Version\n}\n$0"},
	}},
	{Name: "notifies received during a commit are discarded", Edits: []edit{
		{"listsync.Machine.handleNotify", "all if settled", "if m.settled && m.commit != nil {\nreturn\n}\n$0"},
	}},
	{Name: "after a conflict the same changes are written again", Edits: []edit{
		{"listsync.Machine.conflict", "call adoptStored", "if c.whole == nil {\n$0\nw := newLayer(m.base)\nfor _, ch := range c.changes {\nif ch.After != nil {\nw.apply([]pam.Subscription{*ch.After})\n} else {\nw.apply([]pam.Subscription{{Key: ch.Before.Key, State: pam.StateNone}})\n}\n}\nm.store(&commit{changes: w.changes(), version: c.version})\nreturn\n}\n$0"},
	}},
	{Name: "after a conflict the list is not requested", Edits: []edit{
		{"listsync.Machine.conflict", "call dropLive", "m.commitDone(c)"},
	}},
	{Name: "a list that lost to another tab is requested with that tab's version", Tests: "TestTranscripts", Edits: []edit{
		{"listsync.Machine.conflict", "assign fullWanted", ""},
	}},
	{Name: "a hint is adopted without requesting the list", Edits: []edit{
		{"listsync.Machine.reload", "if Version", "true"},
	}},
	{Name: "a round continues although its base list was replaced", Edits: []edit{
		{"listsync.Machine.adoptStored", "assign baseChanged", "_ = m.round"},
	}},
	{Name: "a session starts without a list request", Edits: []edit{
		{"listsync.Machine.start", "assign lastVersion", `m.lastVersion, m.settled = m.stamp.Version, m.stamp.Version != ""`},
		{"listsync.Machine.start", "call requestRound", "if !m.settled {\n$0\n}"},
	}},
	{Name: "a list without a version is considered current", Edits: []edit{
		{"listsync.Machine.reload", "&& lastVersion", "$2"},
	}},
	{Name: "a list restores dropped rows", Edits: []edit{
		{"listsync.Machine.listed", "assign dropped", "kept = append(kept, s)"},
	}},
	{Name: "a notify does not restore a dropped row", Edits: []edit{
		{"listsync.layer.apply", "assign dropped", "_ = undrop"},
	}},
	{Name: "a dropped row is forgotten", Edits: []edit{
		{"listsync.Machine.listed", "assign dropped", "_ = s"},
	}},
	{Name: "a list row without a subid is interpreted as another subscription", Edits: []edit{
		{"listsync.Machine.listed", "if only", "false"},
	}},
	{Name: "a notify without a subid is interpreted as another subscription", Edits: []edit{
		{"listsync.layer.apply", "assign SubID", "_ = l.onlySubID"},
	}},
	{Name: "an assumed subid is treated as confirmed", Tests: "TestTranscripts", Edits: []edit{
		{"listsync.layer.apply", "if assumed SubID", "false"},
	}},
	{Name: "state none without a subid removes only the entry without one", Edits: []edit{
		{"listsync.layer.apply", "for base", `[]pam.Subscription{{Key: pam.Key{s.Service, s.Node, ""}}}`},
	}},
	{Name: "delayed notifies are applied", Edits: []edit{
		{"listsync.Machine.handleNotify", "case Delayed", "false"},
	}},
	{Name: "equal content is committed", Edits: []edit{
		{"listsync.Machine.store", "if changes", "false"},
	}},
	{Name: "the overlay is not cleared", Edits: []edit{
		{"listsync.Machine.commitDone", "assign buffer keep", "$1 = $1[:]"},
	}},
}

type edit = mutate.Edit

// TestMutantPlaces checks without running the mutants that their edits match the
// code.
func TestMutantPlaces(t *testing.T) { mutate.CheckAll(t, mutants) }

func TestMutants(t *testing.T) {
	mutate.FindAll(t, mutants, *flagMutants, raceEnabled, "-listsync.seed=1", "-listsync.schedules=20000", "-listsync.shrink=false")
}
