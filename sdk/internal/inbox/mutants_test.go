package inbox

import (
	"flag"
	"testing"

	"xmpp-pam/sdk/internal/mutate"
)

var flagMutants = flag.Bool("inbox.mutants", true, "run the mutation tests")

// The schedules or, where tests are named, these must detect each mutant. A mutant fails
// if it survives, or if its edits no longer match the code.
var mutants = []mutate.Mutant{
	{Name: "a stanza is acknowledged before it is stored", Edits: []edit{
		{"inbox.Machine.advance", "call write", "for _, q := range inputs {\nif a, ok := q.in.(Arrived); ok && a.Seq > m.handled {\nm.handled = a.Seq\nm.out = append(m.out, Handled{a.Seq})\n}\n}\n$0"},
	}},
	{Name: "the stanzas of a new session are not acknowledged", Edits: []edit{
		{"inbox.Machine.enqueue", "assign handled", ""},
	}},
	{Name: "a number of the last session acknowledges stanzas of this one", Tests: "TestTranscripts", Edits: []edit{
		{"inbox.Machine.enqueue", "assign ended 2/2", "inputs[i].ended = false"},
	}},
	{Name: "the session lasts until it is known to have ended", Tests: "TestCatchUp", Edits: []edit{
		{"inbox.Machine.enqueue", "assign at heard", ""},
	}},
	{Name: "a node that is not followed any more is read again", Tests: "TestCatchUp", Edits: []edit{
		{"inbox.Machine.unfollowed", "call setPosition", ""},
	}},
	{Name: "one namespace is stored with each of a thousand items", Tests: "TestLongNamespace", Edits: []edit{
		{"inbox.Machine.setBody", "if size", "false && $0"},
	}},
	{Name: "a long namespace is stored with each event", Tests: "TestLongNamespace", Edits: []edit{
		{"inbox.spaceOf", "if maxNamespace", "false"},
	}},
	{Name: "an event is removed twice", Tests: "TestRemovedTwice", Edits: []edit{
		{"inbox.Machine.applyInterest", "call sweep 1/2", ""},
	}},
	{Name: "nodes of which nothing was read are read", Tests: "TestCatchUp", Edits: []edit{
		{"inbox.Machine.Read", "if currentUntil", "n.position != nil"},
	}},
	{Name: "the end of a session that never began is stored", Tests: "TestTranscripts", Edits: []edit{
		{"inbox.Machine.handle", "if number", "true"},
	}},
	{Name: "events are announced before they are stored", Edits: []edit{
		{"inbox.Machine.advance", "call write", "$0\nm.announce()"},
	}},
	{Name: "after a conflict the inputs are forgotten", Edits: []edit{
		{"inbox.Machine.Step", "assign held", "m.held = nil"},
	}},
	{Name: "what waits for the next commit is lost in a conflict", Tests: "TestTranscripts", Edits: []edit{
		{"inbox.Machine.advance", "call hold", ""},
	}},
	{Name: "a copy is an event", Edits: []edit{
		{"inbox.Machine.isCopy", "case known nil", "true"},
	}},
	{Name: "an item published again is a copy whatever its payload", Edits: []edit{
		{"inbox.fingerprint", "^ hash", "$1"},
	}},
	{Name: "nothing happens again", Tests: "TestTranscripts", Edits: []edit{
		{"inbox.node.superseding", "if supersedes", "false"},
	}},
	{Name: "what comes live has happened again", Edits: []edit{
		{"inbox.Machine.follows", "return aheadTolerance", "return $1 || true"},
	}},
	{Name: "the order of arrival is that of events", Edits: []edit{
		{"inbox.event.later", "return", "_, _, _, _ = a, b, ok, ok2\nreturn e.id > other.id"},
	}},
	{Name: "a copy does not improve the time", Edits: []edit{
		{"inbox.Machine.improve", "if source", "true"},
	}},
	{Name: "the worse time counts", Edits: []edit{
		{"inbox.Machine.improve", "|| source", "source <= e.source"},
	}},
	{Name: "a time in the future is believed", Tests: "TestFarFuture", Edits: []edit{
		{"inbox.event.ahead", "return", "return false"},
	}},
	{Name: "the oldest are dropped whether seen or not", Tests: "TestTranscripts", Edits: []edit{
		{"inbox.Machine.dropFrom", "for true false", "[...]bool{true}"},
	}},
	{Name: "dropped events are forgotten", Edits: []edit{
		{"inbox.state.drop", "call add", ""},
	}},
	{Name: "a late copy of a dropped event is new", Tests: "TestRemembered", Edits: []edit{
		{"inbox.memory.add", "assign horizon", ""},
	}},
	{Name: "the limit of a node is not kept", Edits: []edit{
		{"inbox.Machine.limit", "> PerNode", "$0 && false"},
	}},
	{Name: "the limit in all is not kept", Edits: []edit{
		{"inbox.Machine.limit", "> Total", "false"},
	}},
	{Name: "the limit of bytes is not kept", Edits: []edit{
		{"inbox.Machine.limit", "> Bytes", "false"},
	}},
	{Name: "a body is deleted with the first of its events", Edits: []edit{
		{"inbox.state.release", "case live", "true"},
	}},
	{Name: "a body is never deleted", Edits: []edit{
		{"inbox.state.release", "case live", "false"},
	}},
	{Name: "the counts of a node are not stored", Edits: []edit{
		{"inbox.state.touch", "call touch", ""},
	}},
	{Name: "the total is not counted", Edits: []edit{
		{"inbox.Machine.settle", "assign unseen 2/2", ""},
	}},
	{Name: "a row of the page is not stored again", Edits: []edit{
		{"inbox.state.update", "call touch page", ""},
	}},
	{Name: "the page has gaps", Edits: []edit{
		{"inbox.Machine.updatePage", "all if row \"\"", "if e.row == \"\" {\ncontinue\n}"},
	}},
	{Name: "bodies that the page lacks are not read", Edits: []edit{
		{"inbox.Machine.finish", "call readBodies", ""},
	}},
	{Name: "an event that is not stored yet is listed", Tests: "TestList", Edits: []edit{
		{"inbox.Machine.List", "if fresh", "q.Service != \"\" && e.node.service != q.Service || q.UnseenOnly && e.seen.State != pam.Unseen"},
	}},
	{Name: "pages overlap", Edits: []edit{
		{"inbox.Machine.List", "assign end search", "$0 + 1"},
	}},
	{Name: "after a conflict known events are announced again", Edits: []edit{
		{"inbox.Machine.read", "if announced", "true"},
	}},
	{Name: "the marker moves backwards", Edits: []edit{
		{"inbox.Machine.merge", "if after remote", "true"},
	}},
	{Name: "this device's marker is another's", Tests: "TestTranscripts", Edits: []edit{
		{"inbox.Machine.merge", "all if same own", ""},
	}},
	{Name: "a marker passes unseen events", Edits: []edit{
		{"inbox.node.goal", "if SeenHere", "false"},
	}},
	{Name: "a marker of an unknown item is forgotten", Edits: []edit{
		{"inbox.Machine.merge", "assign open k", ""},
	}},
	{Name: "the clock of a device decides what was seen", Tests: "TestTranscripts", Edits: []edit{
		{"inbox.marker.comparable", "return", "return true"},
	}},
	{Name: "what came live after a marker is covered by it", Tests: "TestTranscripts", Edits: []edit{
		{"inbox.marker.precedes", "return", "return false"},
	}},
	{Name: "a marker that another device has moved back stays there", Tests: "TestTranscripts", Edits: []edit{
		{"inbox.Machine.toPublish", "!= corrected", "false"},
	}},
	{Name: "devices correct each other without end", Tests: "TestTranscripts", Edits: []edit{
		{"inbox.Machine.toPublish", "!= corrected", "true"},
	}},
	{Name: "a marker is published before those of the server are read", Tests: "TestTranscripts", Edits: []edit{
		{"inbox.Machine.publish", "all if markersRead", ""},
	}},
	{Name: "markers are published without a pause", Tests: "TestTranscripts", Edits: []edit{
		{"inbox.Machine.publish", "case notBefore now", "false"},
	}},
	{Name: "an unlimited number of markers is published", Tests: "TestPending", Edits: []edit{
		{"inbox.Machine.publish", "all if maxPublishing", ""},
	}},
	{Name: "an item is fetched again and again", Tests: "TestTranscripts", Edits: []edit{
		{"inbox.Machine.want", "|| known", "$2"},
	}},
	{Name: "an unlimited number of items is requested", Tests: "TestPending", Edits: []edit{
		{"inbox.Machine.requestItems", "< maxFetches", "true"},
	}},
	{Name: "an event stays without its payload", Edits: []edit{
		{"inbox.Machine.completes", "if nil", "true"},
	}},
	{Name: "the interest does not count", Tests: "TestTranscripts", Edits: []edit{
		{"inbox.Machine.arrive", "if selects", "false"},
	}},
	{Name: "what was left out is not found", Tests: "TestMissed", Edits: []edit{
		{"inbox.Machine.applyInterest", "call readAgain", ""},
	}},
	{Name: "a node is current without a catch-up", Tests: "TestCatchUp", Edits: []edit{
		{"inbox.Machine.moveTo", "if Current 1/2", "true"},
	}},
	{Name: "the first list counts as a change", Tests: "TestAway", Edits: []edit{
		{"inbox.Machine.listChanged", "|| Initial", "$2"},
	}},
	{Name: "a damaged record is believed", Tests: "TestDamage", Edits: []edit{
		{"inbox.unseal", "!= digest", "($0 && false)"},
	}},
	{Name: "a newer format is overwritten", Tests: "TestNewer", Edits: []edit{
		{"inbox.loader.readMeta", "if number format", "$0 && false"},
	}},
}

type edit = mutate.Edit

// TestMutantPlaces checks without running the mutants that their edits match the code.
func TestMutantPlaces(t *testing.T) { mutate.CheckAll(t, mutants) }

func TestMutants(t *testing.T) {
	mutate.FindAll(t, mutants, *flagMutants, raceEnabled, "-inbox.seed=1", "-inbox.schedules=4000", "-inbox.shrink=false")
}
