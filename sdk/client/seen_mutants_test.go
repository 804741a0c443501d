//go:build !js

package client_test

func init() { mutants = append(mutants, seenMutants...) }

// Mistakes that show what was not seen as seen, or the reverse, or more or less than the
// interests say.
var seenMutants = []mutant{
	{"a marker of anybody counts", "TestForgedMarkers", []edit{
		{"takePrivate", "assign own", "$1 := true"}}},
	{"a marker of the domain counts", "TestForgedMarkers", []edit{
		{"takePrivate", "assign own", "$1 := $2 || n.Service == s.account.Domain().String()"}}},
	{"a marker in the item of another node counts", "TestForgedMarkers", []edit{
		{"decodeMarker", "if ItemID", `k.ItemID == ""`}}},
	{"a marker is shown as a message", "TestSeenElsewhere", []edit{
		{"takePrivate", "return other", "return false"}}},
	{"the private nodes are not announced", "TestSeenElsewhere", []edit{
		{"engine.features", "call Features", "[]string{}"}}},
	{"an account without subscriptions is asked for markers", "TestScopeEvents", []edit{
		{"shareSeen", "if empty", "true"}}},
	{"a resumption within a run ends the sharing", "TestSeenSchedules", []edit{
		{"seen.sessionUp", "call step", ""}}},
	{"markers are published before what was missed is known", "TestSeenSchedules", []edit{
		{"events.catch", "call step found", "defer $0"}}},
	{"a catch-up that waits has ended", "TestSeenSchedules", []edit{
		{"endCatchUp", "&& Deferred", "$1"}}},
	{"what a marker has reached can become unseen", "inbox TestTranscripts", []edit{
		{"node.judge", "case synced", "n.remote.reaches(e), covered"}}},
	{"the time of a payload is compared with that of an archive", "inbox TestTranscripts", []edit{
		{"onScale", "return byClock", "return k.source != byClock && source != byClock"}}},
	{"it is said in every session that marks are not shared", "TestSeenStaysHere", []edit{
		{"seen.unsupported", "if warned", "false"}}},
	{"it is not said that marks are not shared", "TestSeenStaysHere", []edit{
		{"seen.unsupported", "call setScope", ""}}},
	{"a device of any program has seen everything", "TestLiveElsewhere", []edit{
		{"session.otherSession", "if capsNode", "true"}}},
	{"a device was connected since its presence arrived", "TestLiveElsewhere", []edit{
		{"session.otherSession", "if IsZero", "false"}}},
	{"any number of devices is remembered", "TestManyDevices", []edit{
		{"seen.takeDevice", "&& maxDevices", "false"}}},
	{"presence does not follow the interests", "TestInterestNotified", []edit{
		{"session.setInterests", "if caps", "false"}}},
	{"presence is sent although nothing has changed", "TestInterestNotified", []edit{
		{"session.setInterests", "if caps", "s.open"}}},
	{"the nodes of services are announced", "TestInterestNotified", []edit{
		{"notifyNodes", "assign personal", "$1 := $2 || true"}}},
	{"the catch-up reads nodes without interest", "TestInterestChanges", []edit{
		{"events.supports", "return", "return true || $1"}}},
	{"the catch-up knows what it left out", "TestInterestChanges", []edit{
		{"events.refetch", "for nodes", "nodes[:0]"}}},
	{"what was left out was asked just now", "TestInterestChanges", []edit{
		{"Machine.readAgain", "assign asked", "_ = n"}}},
	{"any number of nodes is announced", "TestBadInterests", []edit{
		{"CheckInterests", "if maxNotify", "false && ($0)"}}},
}
