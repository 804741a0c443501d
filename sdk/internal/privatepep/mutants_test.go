package privatepep

import (
	"flag"
	"testing"

	"xmpp-pam/sdk/internal/mutate"
)

var flagMutants = flag.Bool("privatepep.mutants", true, "run the mutation tests")

// The schedules or, where tests are named, these must detect each mutant. A mutant fails
// if it survives, or if its edits no longer match the code.
var mutants = []mutate.Mutant{
	{Name: "an item is published to a node that was not checked", Edits: []edit{
		{"privatepep.Machine.plan", "case absent private", "n.absent"},
	}},
	{Name: "every access model is private", Edits: []edit{
		{"privatepep.Machine.checkedConfig", "== accessModel", "true"},
	}},
	{Name: "a node without an access model is private", Tests: "TestWrongAnswers", Edits: []edit{
		{"privatepep.Machine.checkedConfig", "== accessModel", "($0 || form.Value(accessModel) == \"\")"},
	}},
	{Name: "an item is published without publish-options", Edits: []edit{
		{"privatepep.Machine.payload", "call Publish", "$f($1, $2, $3, nil)"},
	}},
	{Name: "the publish-options contain all fields", Tests: "TestVariants", Edits: []edit{
		{"privatepep.Machine.payload", "call Publish", "$f($1, $2, $3, configurations[0])"},
	}},
	{Name: "a node that only looks private is used after a repair", Edits: []edit{
		{"privatepep.Machine.checkedConfig", "case submitted closed 1/2", "false"},
		{"privatepep.Machine.checkedConfig", "case submitted closed low", "!n.submitted && ($0)"},
	}},
	{Name: "others may publish", Tests: "TestTranscripts", Edits: []edit{
		{"privatepep.Machine.checkedConfig", "|| publishModel", "true"},
	}},
	{Name: "the configuration that was read before a change counts", Tests: "TestTranscripts", Edits: []edit{
		{"privatepep.Machine.checkedConfig", "if stale", "false"},
	}},
	{Name: "a check is relied on for ever", Tests: "TestTranscripts", Edits: []edit{
		{"privatepep.Machine.plan", "> checkedFor", "false"},
	}},
	{Name: "a failed precondition is the fault of the item", Edits: []edit{
		{"privatepep.Machine.publishRefused", "case conflict", "false"},
	}},
	{Name: "a put is kept although its item has changed", Tests: "TestTranscripts", Edits: []edit{
		{"privatepep.Machine.report", "call unqueue", "continue"},
	}},
	{Name: "a put may be based on anything", Edits: []edit{
		{"privatepep.Machine.put", "case merged", "false"},
	}, Tests: "TestTranscripts"},
	{Name: "a full node takes more items", Edits: []edit{
		{"privatepep.Machine.plan", ">= limit", "false"},
	}},
	{Name: "all of the items that a server keeps are used", Edits: []edit{
		{"privatepep.usable", "call min", "0"},
	}},
	{Name: "the most useful item is retracted", Tests: "TestTranscripts", Edits: []edit{
		{"privatepep.node.least", "< rank 1/1", "$1 > $2"},
	}},
	{Name: "an item is retracted for a less useful one", Tests: "TestTranscripts", Edits: []edit{
		{"privatepep.Machine.plan", ">= rank", "least.rank != least.rank"},
	}},
	{Name: "an empty list of nodes is believed", Edits: []edit{
		{"privatepep.Machine.listed", "== found", "false"},
	}},
	{Name: "a list of nodes is believed although a notification came", Tests: "TestListRace", Edits: []edit{
		{"privatepep.Machine.listed", "if received", "!exists[n.name]"},
	}},
	{Name: "any number of requests is pending", Edits: []edit{
		{"privatepep.Machine.sendRequests", "< MaxRequests", "true"},
	}},
	{Name: "a contradiction is not read again", Tests: "TestTranscripts", Edits: []edit{
		{"privatepep.Machine.haveRead", "case contradicted", "false"},
	}},
	{Name: "what was read replaces what was notified meanwhile", Tests: "TestTranscripts", Edits: []edit{
		{"privatepep.Machine.receive", "assign notified", "_ = r.notified"},
	}},
	{Name: "the order of two publications is guessed", Tests: "TestTranscripts", Edits: []edit{
		{"privatepep.Machine.written", "if echoed", "false"},
	}},
	{Name: "a request without an answer was not carried out", Tests: "TestTranscripts", Edits: []edit{
		{"privatepep.Machine.failed", "if read", "false"},
	}},
	{Name: "an answer of an earlier session counts", Tests: "TestTranscripts", Edits: []edit{
		{"privatepep.Machine.start", "assign requests", ""},
	}},
	{Name: "a node that another device has created is empty", Tests: "TestTranscripts", Edits: []edit{
		{"privatepep.Machine.refused", "assign absent read", "n.absent = false"},
	}},
	{Name: "items of other nodes are reported", Edits: []edit{
		{"privatepep.Machine.item", "== Node", "true"},
	}, Tests: "TestUnusableItems"},
	{Name: "items of strangers are reported", Tests: "TestTranscripts", Edits: []edit{
		{"privatepep.Machine.item", "|| publisher", "($0 || true)"},
	}},
	{Name: "a delayed notification is applied", Edits: []edit{
		{"privatepep.Machine.notification", "case EventPublished", "in.Type == pam.EventPublished && in.ItemID != \"\" && in.Payload != nil"},
	}, Tests: "TestTranscripts"},
	{Name: "a transient error is a refusal of a field", Tests: "TestTranscripts", Edits: []edit{
		{"privatepep.Machine.nextAttempt", "assign unsure", ""},
	}},
	{Name: "the order of attributes counts", Tests: "TestMeasure", Edits: []edit{
		{"privatepep.hash.element", "assign attrs one", "attrs = attrs*31 + one"},
	}},
	{Name: "a silent server is asked for ever", Tests: "TestTranscripts", Edits: []edit{
		{"privatepep.Machine.fail", "if failures", "false"},
	}},
	{Name: "a failed guard is repeated for ever", Tests: "TestVariants|TestTranscripts", Edits: []edit{
		{"privatepep.Machine.prepare", "case checks", "false"},
	}},
	{Name: "a server without private nodes is used for reading", Tests: "TestTranscripts", Edits: []edit{
		{"privatepep.Machine.unsupported", "assign denied", "m.pending, m.pendingBytes = 0, 0"},
	}},
	{Name: "any number of items is kept", Tests: "TestManyItems", Edits: []edit{
		{"privatepep.Machine.set", "case was", "true"},
	}},
	{Name: "any number of puts is pending", Tests: "TestPending", Edits: []edit{
		{"privatepep.Machine.put", "case MaxPending", "false"},
	}},
	{Name: "a retraction is not notified", Tests: "TestRequests", Edits: []edit{
		{"privatepep.Machine.payload", "call Retract", "$f($1, $2, false)"},
	}},
}

type edit = mutate.Edit

// TestMutantPlaces checks without running the mutants that their edits match the
// code.
func TestMutantPlaces(t *testing.T) { mutate.CheckAll(t, mutants) }

func TestMutants(t *testing.T) {
	mutate.FindAll(t, mutants, *flagMutants, raceEnabled, "-privatepep.seed=1", "-privatepep.schedules=3000")
}
