//go:build !js

package client_test

import (
	"flag"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"xmpp-pam/sdk/internal/mutate"
)

var flagMutants = flag.String("client.mutants", "", "check that the tests whose names match this find planted mistakes; all take minutes")

var flagMutantsMost = flag.Int("client.mutants.most", 0, "plant no more mistakes than these, drawn by PAM_SEED; 0 is all")

type edit = mutate.Edit

type mutant struct {
	name, by string
	edits    []edit
}

// Mutants are mistakes that lose data, or let another entity forge what the client
// accepts.
// The test named by "by", after its package if that is another, must find each.
// A mutant that no test finds, or whose place is no longer in the code, fails.
var mutants = []mutant{
	{"what was not acknowledged is not sent again", "TestCutMessages", []edit{
		{"Stream.onResumed", "for unacked", "$0[:0]"}}},
	{"what was not acknowledged is sent twice", "TestCutMessages", []edit{
		{"Stream.onResumed", "call emit Write", "$0\n$0"}}},
	{"what was acknowledged is kept", "stream TestCutAndResume", []edit{
		{"smState.forget", "call Clone", "$f(l.unacked)"}}},
	{"the resumption sends a count that is too high", "TestCutCycles", []edit{
		{"Stream.resume", "call uint64", "$f($1+1)"}}},
	{"the resumption sends a count that is too low", "TestCutCycles", []edit{
		{"Stream.resume", "call uint64", "$f($1-1)"}}},
	{"every second stanza is not counted", "TestCutCycles", []edit{
		{"smState.count", "++ received", "$1 += $1 & 1"}}},
	{"a repeated stanza is delivered again", "stream TestCutAndResume", []edit{
		{"smState.count", "return true", "return false"}}},
	{"a resumed session is treated as a new one", "TestCutMessages", []edit{
		{"connection.perform", "field resumed", "resumed: false"}}},
	{"a lost session ends no request", "TestCutMessages", []edit{
		{"account.sessionEnded", "call failOperations", ""}}},
	{"a session that waits ends its requests", "TestCutMessages", []edit{
		{"session.suspend", "call pause", "s.withdraw(r)"}}},
	{"the socket of a connection that is over stays open", "TestCutMessages", []edit{
		{"connection.hangup", "all call Close", ""}}},
	{"a server that does not answer counts as connected", "stream TestLiveness", []edit{
		{"Stream.checkLiveness", "case idleTime", "false"}}},
	{"the client does not dial again", "TestCutMessages", []edit{
		{"link.proceed", "call after", "$f($1, func() {})"}}},
	{"a notify is handled before it is stored", "TestHandledOnceStored", []edit{
		{"account.takeStanza", "call step", "a.session.acknowledge(m.seq)\n$0"}}},
	{"the catch-up is done before what it found is stored", "TestDoneWhenStored", []edit{
		{"engine.events.setProgress", "if ended", "false"}}},
	{"a node that is followed again counts as asked", "TestFollowedAgain", []edit{
		{"inbox.Machine.unfollowed", "assign asked", ""}}},
	{"forget() is followed by a commit of what came before", "TestForgetSlowly", []edit{
		{"engine.events.suspend", "call stop", "_ = t"}}},
	{"a notify of another entity is accepted", "TestSpoofMatrix", []edit{
		{"ParseNotify", "if maySendNotify", "false"}}},
	{"any sender may answer", "TestSpoof.*", []edit{
		{"mayAnswer", "return to", "return true || $1"},
		{"mayAnswer", "return isOwnServer", "return true || $1"}}},
	{"a bad stanza ends the session", "TestSpoofMatrix", []edit{
		{"connection.perform", "call ignore", "c.end(&stream.Error{Code: stream.CodeProtocol, Retry: true, Err: out.Err})\n$0"}}},
	{"what is ignored is not counted", "TestSpoofFlood", []edit{
		{"view.ignore", "++ ignored", ""}}},
	{"every ignored message is warned of", "TestSpoofFlood", []edit{
		{"view.ignore", "if timer", "true"}}},
	{"a claimed session stays where it was", "TestOneOfManyResumes|TestClaim.*", []edit{
		{"claimSession", "assign ops Put", "_ = tab"}}},
	{"a session is claimed by all", "TestOneOfManyResumes|TestClaim.*", []edit{
		{"claimSession", "call Commit", "$f($1, nil, $3)"}}},
	{"a session that is being written is given up", "TestOneOfManyResumes|TestClaim.*", []edit{
		{"claimSession", "assign changed", "_ = $1"}}},
	{"a commit compares nothing with what is stored", "TestSchedules", []edit{
		{"durable.write", "call Commit", "$f($1, nil, $3)"}}},
	{"the version is stored before its list", "TestSchedules", []edit{
		{"durable.write", "call Commit", "func() error {\nif err := $f($1, $2, []store.Op{store.Put(keyMeta, next.meta)}); err != nil {\nreturn err\n}\nreturn $f($1, nil, $3)\n}()"}}},
	{"a commit is stored over what was read anew", "engine TestDurableReadAnew", []edit{
		{"durable.commit", "assign conflict", "$1 := false"}}},
	{"a hint of another tab leads to nothing", "TestSchedules", []edit{
		{"account.reloaded", "call step", "_ = d"},
		{"account.reloaded", "call acknowledge", ""}}},
	{"the remains of an erased store are adopted as the list", "TestStoreErased", []edit{
		{"durable.commit", "|| conflict", "true"}}},
	{"a hint about an erased store is acted on in a session", "TestStoreErased", []edit{
		{"account.reloaded", "&& Phase", "false"}}},
	{"a hint during the first read is ignored", "TestChangedMeanwhile", []edit{
		{"storage.reload", "|| loading", "$1 || !s.loaded"}}},
	{"what another tab stored first is not acknowledged", "TestSameListStoredFirst", []edit{
		{"refusedCommit", "call acknowledge", ""}}},
	{"a notify with a delay stamp is applied", "TestSchedules", []edit{
		{"account.takeStanza", "assign Delayed", "$1 = false"}}},
	{"a delayed notify after a new message is treated as replayed", "TestDelayedNotify", []edit{
		{"receiveMessage", "assign replay", "_ = listsync.Delayed(stanza)"}}},
	{"a notify older than the session is treated as replayed", "TestDelayedNotify", []edit{
		{"receiveMessage", "call After", "($0 || true)"}}},
	{"a notify of another device is accepted", "TestSchedules", []edit{
		{"maySendNotify", "call String", "j.Bare().String()"}}},
	{"a notify in a carbon is accepted", "TestSchedules", []edit{
		{"ParseNotify", "all for message", "if r := message.First(); r != nil && r.Name.Local == \"received\" {\nmessage = r.First().First()\n}\n$0"}}},
	{"an operation ends when it is answered", "TestSchedules|TestAnswerDuringCommit", []edit{
		{"operate", "call settleOperations", "a.finish(op, new(pam.Subscription), nil)"}}},
	{"a failed store is not reported", "TestStoreFaults", []edit{
		{"useMemory", "call setDegraded", ""}}},
	{"a store that does not answer is waited for", "TestSilentStore", []edit{
		{"storeTimeout", "*", "$1 * time.Hour"}}},
	{"a late answer of the store counts", "TestSilentStore", []edit{
		{"storage.finish", "|| jobs", "$1"}}},
	{"Close does not return the store's error", "TestSilentStore", []edit{
		{"Engine.run", "assign closed", "_ = $2"}}},
	{"a corrupt list empties the shown list", "engine TestReloadCorrupt", []edit{
		{"loadAnew", "if err 2/2", "false"}}},
	{"an inconsistent store is read again for ever", "TestBadStores", []edit{
		{"durable.commit", "if Equal", "false && $0"}}},
	{"a timer that was stopped runs", "engine TestTimerStopped", []edit{
		{"loop.after", "if timers", "true"}}},
	{"a resumption renews the time of a request", "TestListWhileResumed", []edit{
		{"deadline.pause", "assign left", "_ = d.since"}}},
	{"a call has no end of its own", "TestOneDeadline|TestSubscribeWhileResumed", []edit{
		{"operate", "assign timer 2/2", ""}}},
	{"a refresh has no end of its own", "TestCallsWhileAway", []edit{
		{"account.refresh", "call after", "$f(1000*$1, $2)"}}},
	{"the service is not asked if the server does not answer", "TestServiceIsAsked", []edit{
		{"operate", "call askService", "_ = $f"}}},
	{"a row without a subscription at the service stays listed", "TestGoneButListed", []edit{
		{"settleOperations", "call step Drop", "_ = $1"}}},
	{"the list omits a newer subscription", "TestUnsubscribeCrossed", []edit{
		{"unremovable", "call Contains remains", "(true || $0)"}}},
	{"a subscription newer than the unsubscribe is omitted", "TestUnsubscribeBeforeAnotherTabSubscribed", []edit{
		{"nothingLeft", "call step", "op.remains = a.rows(op.key)\n$0"}}},
	{"the end of a call of Connect ends the attempts", "TestConnectDeadline", []edit{
		{"cancelConnect", "call stop", "$0\nl.disconnect(func(error) {})"}}},
	{"a forgotten session is resumed", "TestForgetStoredSession", []edit{
		{"Engine.Forget", "if dropSession", "false"}}},
	{"a connection made while the account is forgotten stays", "TestLastCallDecides", []edit{
		{"link.proceed", "call report", "l.dial()"}}},
	{"a failed store keeps the record of the session", "TestFailedStoreAndSession", []edit{
		{"useMemory", "if remove", "false && $0"}}},
	{"a store that failed is read again", "TestReloadAfterFailedCommit", []edit{
		{"storage.reload", "&& degraded", "$1"}}},
	{"the login is shown in the wire log", "TestNextRunResumes", []edit{
		{"connection.inspect", "assign e", "_ = withoutSecrets"}}},
	{"only what the client itself says of a login is hidden", "TestInspector.*", []edit{
		{"connection.inspect", "call isSASL", "f.Out && $0"}}},
	{"a login that cannot be read is shown", "TestInspector.*", []edit{
		{"inspectRead", "if bound", "false"}}},
	{"a long message is shown whole", "TestInspector.*", []edit{
		{"connection.inspect", "if MaxFrame", "false"}}},
	{"the text of a message is written anew", "TestMessageTexts", []edit{
		{"newMessage", "assign XML", "$1 = stanza.String()\n_ = text"}}},
	{"a text that other parsers refuse is delivered", "TestMessageTexts", []edit{
		{"Element.XML", "return ErrUnreadable", "return e.source, nil"}}},
	{"a declaration outside of an element is not added", "element TestXML.*", []edit{
		{"Element.outside", "for around", "false"}}},
	{"an inner declaration ends with its element only if few are in scope", "element TestXML.*", []edit{
		{"parser.leave", "assign innermost", "_ = $2"}}},
	{"a warning is as long as what it is about", "TestLongWarnings", []edit{
		{"shortened", "if maxWarning", "false"}}},
	{"an acknowledgement is asked for once", "stream TestAskedAgain", []edit{
		{"Stream.acknowledged", "assign ackBy", "l.ackLate, l.oldest = false, s.now"}}},
	{"a server has no time limit to acknowledge", "stream TestAskedAgain", []edit{
		{"Stream.checkLiveness", "case ackLate", "false"}}},
	{"what is not acknowledged is kept without bound", "stream TestUnackedIsBounded", []edit{
		{"writeStanza", "assign full", "$1 := false"}}},
	{"strangers fill what is kept", "stream TestUnackedIsBounded", []edit{
		{"writeStanza", "case answersStranger", "false && $0"}}},
	{"a stuck session is resumed again", "stream TestStuck", []edit{
		{"stream.New", "call Stuck", "false"}}},
	{"a stored session may have sent more for ever", "stream TestCountTooHigh", []edit{
		{"Stream.onResumed", "assign mayHaveSentMore", "l.sending, l.counting, l.oldest = true, true, s.now"}}},
	{"the first that waits counts as handled", "stream TestAcknowledgements", []edit{
		{"smState.handled", "- waiting", "$1"}}},
	{"a refused session keeps its count", "stream TestEnableRefused", []edit{
		{"management", "assign l smState", "_ = l"}}},
	{"the key has only the time of the negotiation", "TestDeriveSlowly", []edit{
		{"challenge", "call setDeadline", ""}}},
	{"the computation of the key outlives its connection", "TestDeriveEnds", []edit{
		{"connection.derive", "call WithTimeout", "$f(context.Background(), $2)"}}},
	{"a server that starts ends the attempts", "TestHalfStarted", []edit{
		{"afterFailure", "assign slow", "$1 := false && $2"}}},
	{"refused credentials are sent again", "TestHalfStarted", []edit{
		{"isFinal", "return isRefused", "return false"}}},
	{"a weaker mechanism gets the password", "TestWeakerLogin", []edit{
		{"link.begin", "field Used", `Used: ""`}}},
	{"the mechanism is forgotten by the next run", "TestWeakerLogin", []edit{
		{"encodeSync", "call appendField", `$f($1, "")`}}},
	{"a domain that looks like the account's is the account's", "TestLookalikes", []edit{
		{"address.Parse", "case Domainpart", "false && $0"}}},
	{"nodes that were left are not read", "TestLongAbsence", []edit{
		{"events.start", "all for left", ""}}},
	{"a node that was left is read for ever", "TestLeft", []edit{
		{"events.catch", "call unfollow", "_ = $1"}}},
	{"what comes before a catch-up is not counted", "TestLongAbsence", []edit{
		{"events.start", "call catch", "e.progress.Received = 0\n$0"}}},
	{"an error shows the token of an address", "TestNoToken", []edit{
		{"Show", "if IndexAny", "false"}}},
}

// TestMutantPlaces checks without a run of TestMutants that the places still exist.
func TestMutantPlaces(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) { mutate.Check(t, m.edits) })
	}
}

func TestMutants(t *testing.T) {
	if *flagMutants == "" {
		t.Skip("run it with: make mutants")
	}
	asked, err := regexp.Compile(*flagMutants)
	if err != nil {
		t.Fatal(err)
	}
	if raceEnabled {
		t.Skip("it starts separate builds, which the race detector does not cover")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command")
	}
	chosen := slices.DeleteFunc(slices.Clone(mutants), func(m mutant) bool { return !asked.MatchString(m.by) })
	if most := *flagMutantsMost; most > 0 && most < len(chosen) {
		seeded(t).Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
		chosen = chosen[:most]
	}
	for _, m := range chosen {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			var flags []string
			if !strings.Contains(m.by, " ") { // a test of this package
				flags = append(flags, "-client.schedules=2000")
			}
			mutate.Find(t, m.edits, m.by, flags...)
		})
	}
}
