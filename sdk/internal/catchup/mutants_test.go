package catchup

import (
	"flag"
	"testing"

	"xmpp-pam/sdk/internal/mutate"
)

var flagMutants = flag.Bool("catchup.mutants", true, "run the mutation tests")

// The schedules or, where they cannot detect it, the named tests must detect each mutant.
// A mutant fails if it survives, or if its edits no longer match the code.
var mutants = []mutate.Mutant{
	// What is stored.
	{Name: "a live event moves the cursor while the archive is read", Edits: []edit{
		{"catchup.Machine.live", "if open", "false"},
	}},
	{Name: "a live event moves the cursor after a failure", Edits: []edit{
		{"catchup.Machine.live", "if failed", "true"},
	}},
	{Name: "a live event does not move the cursor of the items", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.live", "assign cursor", "_ = s"},
	}},
	{Name: "the cursor goes back to a live event", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.archiveResult", "assign live", "_ = s"},
	}},
	{Name: "the cursor is stored although the archive may not reach back", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.archiveEnd", "if reaches 2/2", "true"},
	}},
	{Name: "a node becomes current although it was not read", Edits: []edit{
		{"catchup.Machine.fail", "assign failed true 1/2", "_ = n"},
	}},
	{Name: "a new node becomes current before its items came", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.close", "if open", "n.gone"},
	}},
	{Name: "a cursor of the account is sent to the archive of a node", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.task.begin", "if By", "false"},
	}},
	// Reading archives.
	{Name: "an expired cursor is a refusal", Edits: []edit{
		{"catchup.Machine.failure", "case after absent", "false"},
	}},
	{Name: "an expired cursor is no gap", Edits: []edit{
		{"catchup.Machine.archiveDone", "if expired", "false"},
	}},
	{Name: "complete without the server's word", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.archiveDone", "assign complete said", "complete := t.means == AccountArchive && m.archive == AllEvents && t.purpose == readEvents && t.reaches"},
	}},
	{Name: "a new node makes a catch-up unclear", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.archiveDone", "assign complete complete 2/2", "n.complete = complete && !n.isNew()"},
	}},
	{Name: "complete although the archive may not reach back", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.archiveDone", "assign complete said", "complete := t.means == AccountArchive && m.archive == AllEvents && t.purpose == readEvents && t.said"},
	}},
	{Name: "complete although the archive may not hold all events", Edits: []edit{
		{"catchup.Machine.archiveDone", "assign complete said", "complete := t.means == AccountArchive && t.purpose == readEvents && t.said && t.reaches"},
	}},
	{Name: "the archive of a node is taken for all that happened", Edits: []edit{
		{"catchup.Machine.archiveDone", "call gapOf 1/2", "_ = oldest"},
	}},
	{Name: "nodes are read from the latest place", Edits: []edit{
		{"catchup.Machine.readAccount", "call Before start", "base.start().Before(n.start())"},
	}},
	{Name: "a node without a cursor is read from those of the others", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.readAccount", "if isNew", "false"},
	}},
	{Name: "the time of an archive is this device's", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.startOf", "case At", "false"},
	}},
	{Name: "an archive that repeats itself is read on", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.archiveEnd", "assign lasts true", "_ = last"},
	}},
	{Name: "the last page is taken for the end", Edits: []edit{
		{"catchup.Machine.archiveEnd", "case Complete", "true"},
	}},
	// Who may say what.
	{Name: "the sender of a result is not compared", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.archiveResult", "!= From", "false"},
	}},
	{Name: "the sender of an archived message is not compared", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.events", "if Service", "true"},
		{"catchup.Machine.events", "assign Service account", "e.Service = t.service()"},
	}},
	{Name: "the archive of a node speaks of others", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.events", "&& first", "false"},
	}},
	{Name: "unwanted payloads are found", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.events", "if wanted", "n == nil"},
	}},
	{Name: "a stamp in the future is stored in a cursor", Tests: "TestTranscripts|TestFutureStamp", Edits: []edit{
		{"catchup.Machine.notLater", "if After", "false"},
	}},
	// Reading items.
	{Name: "one kept item is enough", Edits: []edit{
		{"catchup.Machine.compare", "call min base", "1"},
	}, Tests: "TestTranscripts"},
	{Name: "items are compared by their ids", Edits: []edit{
		{"catchup.Machine.compare", "&& Digest", "$1"},
	}},
	{Name: "what came live since tells how far to read", Edits: []edit{
		{"catchup.newMemory", "assign base At", "r.base = true"},
	}},
	{Name: "items are taken to be in order", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.compare", "assign ordered", "ordered := c.enough"},
	}},
	{Name: "a missing item was retracted", Edits: []edit{
		{"catchup.Machine.compare", "case retracted", "c.enough && evidence.oldest >= 0"},
	}},
	{Name: "an item is missing although the node was not read to its end", Edits: []edit{
		{"catchup.evidence.retracted", "return whole", "return e.oldest < missing.first"},
	}},
	{Name: "what was found late is taken for live", Edits: []edit{
		{"catchup.evidence.retracted", "if Late", "true"},
	}},
	{Name: "what comes while items are read is missing", Edits: []edit{
		{"catchup.Machine.compare", "case present", "present[id]"},
	}},
	{Name: "missing items are no gap", Edits: []edit{
		{"catchup.Machine.itemsResult", "if unclear", "false"},
	}},
	{Name: "a node that keeps fewer is no gap", Edits: []edit{
		{"catchup.Machine.itemsResult", "if kept", "false"},
	}},
	{Name: "only the first items are read", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.itemsResult", "if enough", "false"},
	}},
	{Name: "the number of items is exact while they are read", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.task.take", "assign whole Count", "t.whole = !t.ends && (len(items) < wanted || len(t.window) == page.Count)"},
	}},
	// Requests.
	{Name: "more than four requests at once", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.schedule", "< underWay", "true"},
	}},
	{Name: "a service gets all requests", Edits: []edit{
		{"catchup.Machine.makeReady", ">= limit", "false"},
	}},
	{Name: "requests are sent without a connection", Edits: []edit{
		{"catchup.Machine.schedule", "for paused", "len(m.ready) > 0 && len(m.requests) < m.limits.underWay"},
	}},
	{Name: "a node is asked again at once", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.ask", "if AskedAt", "true"},
	}},
	{Name: "a node that was asked recently is forgotten", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.wake", "call enqueue", "_ = t"},
	}},
	{Name: "a node is asked twice after a timeout of another", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.silent", "if failures", "true"},
	}},
	{Name: "a service that is busy is asked for ever", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.slowDown", "if refusals", "false"},
	}},
	{Name: "an answer to an earlier session counts", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.reset", "assign requests", "if m.requests == nil {\n$0\n}"},
	}},
	// Bounds.
	{Name: "a service may fill everything", Tests: "TestFlood", Edits: []edit{
		{"catchup.Machine.archiveResult", "> ofService", "false"},
	}},
	{Name: "the cursor passes what was ignored", Tests: "TestFlood", Edits: []edit{
		{"catchup.Machine.archiveEnd", "if overflow", "false"},
	}},
	{Name: "a page holds back any number of events", Tests: "TestLongPage", Edits: []edit{
		{"catchup.Machine.archiveResult", ">= maxFound", "false"},
	}},
	{Name: "a page holds back events of any size", Tests: "TestLongPage", Edits: []edit{
		{"catchup.Machine.archiveResult", ">= maxFoundBytes", "false"},
	}},
	{Name: "what came of a page is lost with the connection", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.Step", "call found", "_ = r"},
	}},
	{Name: "what came of a page is lost with its end", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.answered", "call found", ""},
	}},
	{Name: "events of a node that was taken out are reported", Tests: "TestTranscripts", Edits: []edit{
		{"catchup.Machine.found", "== nil", "false"},
	}},
	{Name: "pages are not counted", Tests: "TestEndlessArchive", Edits: []edit{
		{"catchup.Machine.archiveEnd", "== pages", "t.pages == 100*m.limits.pages"},
	}},
	{Name: "items are not bounded", Tests: "TestManyItems", Edits: []edit{
		{"catchup.Machine.itemsResult", "if most", "most < 0"},
	}},
}

type edit = mutate.Edit

// TestMutantPlaces checks without running the mutants that their edits match the code.
func TestMutantPlaces(t *testing.T) { mutate.CheckAll(t, mutants) }

func TestMutants(t *testing.T) {
	mutate.FindAll(t, mutants, *flagMutants, raceEnabled, "-catchup.seed=1", "-catchup.schedules=20000")
}
