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

// Mutants are mistakes that lose something, or let somebody fool the client.
// The test named by "by", after its package if that is another, must find each.
// One that survives, or whose pieces are no longer in the code, fails.
var mutants = []mutant{
	{"what was not acknowledged is not sent again", "TestCutMessages", []edit{
		{"../internal/stream/sm.go", "for _, text := range l.unacked {\n\t\t\ts.emit", "for _, text := range l.unacked[:0] {\n\t\t\ts.emit"}}},
	{"what was not acknowledged is sent twice", "TestCutMessages", []edit{
		{"../internal/stream/sm.go", "\t\t\ts.emit(Write{Text: text})\n\t\t}\n\t\tif len", "\t\t\ts.emit(Write{Text: text})\n\t\t\ts.emit(Write{Text: text})\n\t\t}\n\t\tif len"}}},
	{"what was acknowledged is kept", "../internal/stream TestCutAndResume", []edit{
		{"../internal/stream/unacked.go", "slices.Clone(l.unacked[known:])", "slices.Clone(l.unacked)"}}},
	{"a count too many is told at the resumption", "TestCutCycles", []edit{
		{"../internal/stream/sm.go", `.Set("h", strconv.FormatUint(uint64(saved), 10)))`, `.Set("h", strconv.FormatUint(uint64(saved+1), 10)))`}}},
	{"a count too few is told at the resumption", "TestCutCycles", []edit{
		{"../internal/stream/sm.go", `.Set("h", strconv.FormatUint(uint64(saved), 10)))`, `.Set("h", strconv.FormatUint(uint64(saved-1), 10)))`}}},
	{"every second stanza is not counted", "TestCutCycles", []edit{
		{"../internal/stream/sm.go", "\tdefault:\n\t\tl.received++\n\t}\n\treturn false", "\tdefault:\n\t\tl.received += l.received & 1\n\t}\n\treturn false"}}},
	{"what comes again is delivered again", "../internal/stream TestCutAndResume", []edit{
		{"../internal/stream/sm.go", "case l.again > 0:\n\t\tl.again--\n\t\treturn true", "case l.again > 0:\n\t\tl.again--\n\t\treturn false"}}},
	{"a session that goes on is taken for a new one", "TestCutMessages", []edit{
		{"connection.go", "c.o.resumeSession(out.JID.String())", "c.o.startSession(out.JID.String())"}}},
	{"a lost session ends no request", "TestCutMessages", []edit{
		{"session.go", "\to.failRequests()\n", ""}}},
	{"a session that waits ends its requests", "TestCutMessages", []edit{
		{"resume.go", "for _, r := range o.requests {\n\t\t\tr.time.pause()\n\t\t}", "o.failRequests()"}}},
	{"the socket of a connection that is over stays open", "TestCutMessages", []edit{
		{"connection.go", "\t\t_ = c.socket.Close()\n", ""}}},
	{"a silent server is believed to be there", "../internal/stream TestLiveness", []edit{
		{"../internal/stream/liveness.go", "case w.answerBy.IsZero() && s.due(w.heard.Add(idleTime)):", "case false:"}}},
	{"nobody dials again", "TestCutMessages", []edit{
		{"attempt.go", "o.retry = o.after(wait, o.dial)", "o.retry = o.after(wait, func() {})"}}},
	{"a notify is handled before it is stored", "TestHandledOnceStored", []edit{
		{"session.go", "\to.delivered++\n\tif len(heard) > 0 {", "\to.delivered++\n\to.handledUpTo(o.delivered)\n\tif len(heard) > 0 {"}}},
	{"a stranger's notify is believed", "TestSpoofMatrix", []edit{
		{"../internal/listsync/wire.go", "if !r.believed(message) {", "if false {"}}},
	{"any sender may answer", "TestSpoof.*", []edit{
		{"request.go", "return ok && address.Equal(from, to)\n\t}", "return true || ok && address.Equal(from, to)\n\t}"},
		{"request.go", "return !ok || o.isOwnServer(from)", "return true || o.isOwnServer(from)"}}},
	{"a bad stanza ends the session", "TestSpoofMatrix", []edit{
		{"connection.go", "\tcase stream.Dropped:\n", "\tcase stream.Dropped:\n\t\tc.end(&stream.Error{Code: stream.CodeProtocol, Retry: true, Err: out.Err})\n"}}},
	{"what is ignored is not counted", "TestSpoofFlood", []edit{
		{"ignored.go", "\to.c.ignored++\n", ""}}},
	{"every ignored message is warned of", "TestSpoofFlood", []edit{
		{"ignored.go", "if o.ignores.timer == nil {", "if true {"}}},
	{"a claimed session stays where it was", "TestOneOfManyResumes|TestClaim.*", []edit{
		{"claim.go", "ops = append(ops, store.Put(sessionKey(tab), record.Value))", "_ = tab"}}},
	{"a session is claimed by all", "TestOneOfManyResumes|TestClaim.*", []edit{
		{"claim.go", "s.Commit(ctx, []store.Record{record}, ops)", "s.Commit(ctx, nil, ops)"}}},
	{"a session that is being written is given up", "TestOneOfManyResumes|TestClaim.*", []edit{
		{"claim.go", "changed = true", "_ = changed"}}},
	{"a commit compares nothing with what is stored", "TestSchedules", []edit{
		{"durable.go", "[]store.Record{{Key: keyMeta, Value: d.meta}}", "nil"}}},
	{"the version is stored before its list", "TestSchedules", []edit{
		{"durable.go", "if err := d.store.Commit(ctx, []store.Record{{Key: keyMeta, Value: d.meta}}, ops); err != nil {",
			"err := d.store.Commit(ctx, []store.Record{{Key: keyMeta, Value: d.meta}}, []store.Op{store.Put(keyMeta, meta)})\n\tif err == nil {\n\t\terr = d.store.Commit(ctx, nil, ops)\n\t}\n\tif err != nil {"}}},
	{"a commit is stored over what was read anew", "TestDurableReadAnew", []edit{
		{"durable.go", "conflict := c.Expect != d.stamp", "conflict := false"}}},
	{"a hint of another tab leads to nothing", "TestSchedules", []edit{
		{"storing.go", "\t\t\t\to.step(listsync.Stored{Durable: now})\n\t\t\t\to.acknowledge()\n", "\t\t\t\t_ = now\n"}}},
	{"what is left of an emptied store is taken for the list", "TestStoreEmptied", []edit{
		{"durable.go", "\t\tcase !conflict:\n\t\t\td.meta, d.stale = values[0], true\n", ""}}},
	{"a hint of an emptied store counts in a session", "TestStoreEmptied", []edit{
		{"storing.go", " && o.machine.Phase() == listsync.Unsynced", ""}}},
	{"a hint during the first reading leads to nothing", "TestChangedMeanwhile", []edit{
		{"storing.go", "|| !o.reading {", "|| !o.loaded {"}}},
	{"what another tab stored first is not acknowledged", "TestSameListStoredFirst", []edit{
		{"storing.go", "o.acknowledge() // It may be what was to be stored.", ""}}},
	{"a notify with a delay stamp is applied", "TestSchedules", []edit{
		{"session.go", "heard[i].Delayed && !o.session.replayed(stanza)", "false"}}},
	{"a notify that comes after a new message is taken for a replay", "TestDelayedNotify", []edit{
		{"session.go", "o.session.replay = o.session.replay && listsync.Delayed(stanza)", "_ = listsync.Delayed(stanza)"}}},
	{"a notify that is older than the session is taken for a replay", "TestDelayedNotify", []edit{
		{"session.go", "listsync.DelayStamp(stanza).After(s.began.Add(-clockSkew))", "true"}}},
	{"a notify of another device is believed", "TestSchedules", []edit{
		{"../internal/listsync/wire.go", "from = j.String()", "from = j.Bare().String()"}}},
	{"a notify in a carbon is believed", "TestSchedules", []edit{
		{"../internal/listsync/wire.go", "\tfor n := range message.Elements() {\n\t\tif !isPAM", "\tif r := message.First(); r != nil && r.Name.Local == \"received\" {\n\t\tmessage = r.First().First()\n\t}\n\tfor n := range message.Elements() {\n\t\tif !isPAM"}}},
	{"an operation ends when it is answered", "TestSchedules|TestCommitUnderWay", []edit{
		{"operation.go", "\t\t\to.settle()\n\t\tcase err.Code", "\t\t\to.finish(op, pam.Subscription{}, nil)\n\t\tcase err.Code"}}},
	{"a failed store is not told of", "TestStoreFaults", []edit{
		{"storing.go", "o.state.Storage = pam.StorageState{Degraded: true, Err: err}", "_ = pam.StorageState{}"}}},
	{"a silent store is waited for", "TestSilentStore", []edit{
		{"storage.go", "storeTimeout = 10 * time.Second", "storeTimeout = 10 * time.Hour"}}},
	{"a late answer of the store counts", "TestSilentStore", []edit{
		{"storage.go", "len(s.jobs) == 0 || s.jobs[0] != j", "len(s.jobs) == 0"}}},
	{"Close does not tell what the store says", "TestSilentStore", []edit{
		{"client.go", "c.closing = c.owner.close()", "_ = c.owner.close()"}}},
	{"what is read spoiled empties the list", "TestReloadSpoiled", []edit{
		{"durable.go", "return listsync.Durable{}, false, errUnreadable", "return listsync.Durable{}, true, nil"}}},
	{"a store that contradicts itself is asked for ever", "TestBadStores", []edit{
		{"durable.go", "if !conflict && bytes.Equal(values[0], d.meta) {", "if false && bytes.Equal(values[0], d.meta) {"}}},
	{"a timer that was stopped runs", "TestTimerStopped", []edit{
		{"timer.go", "if o.running[t] {", "if true {"}}},
	{"a resumption renews the time of a request", "TestListWhileResumed", []edit{
		{"timer.go", "b.left -= time.Since(b.since)", "_ = b.since"}}},
	{"a call has no end of its own", "TestOneDeadline|TestSubscribeWhileResumed", []edit{
		{"operation.go", "op.timer = o.after(requestTimeout-serviceAfter, func() { o.unanswered(op) })", ""}}},
	{"a refresh has no end of its own", "TestCallsWhileAway", []edit{
		{"refresh.go", "r.timer = o.after(2*requestTimeout, func() {", "r.timer = o.after(2000*requestTimeout, func() {"}}},
	{"the service of a silent server is not asked", "TestServiceIsAsked", []edit{
		{"operation.go", "o.askService(op)\n\t\t}", "_ = o.askService\n\t\t}"}}},
	{"what the service does not know stays listed", "TestGoneButListed", []edit{
		{"operation.go", "o.step(listsync.Drop{Key: op.key})", "_ = listsync.Drop{}"}}},
	{"a newer subscription is left out of the list", "TestUnsubscribeCrossed", []edit{
		{"operation.go", "row == *op.remains", "(row == *op.remains || true)"}, {"operation.go", "op.remains = &row\n\t}", "op.remains = &row\n\t}\n\top.remains = new(pam.Subscription)"}}},
	{"the end of a wait ends the wish", "TestWaitIsNotTheWish", []edit{
		{"attempt.go", "\tw.gone = true\n", "\tw.gone = true\n\to.disconnect(func(error) {})\n"}}},
	{"a forgotten session is resumed", "TestForgetStoredSession", []edit{
		{"forget.go", "o.forgetSession() // also one of an earlier run", ""}}},
	{"a connection made while the account is forgotten stays", "TestLastWordCounts", []edit{
		{"connection.go", "o.connectLoaded()", "o.dial()"}}},
	{"a failed store keeps the record of the session", "TestFailedStoreAndSession", []edit{
		{"storage.go", "if len(remove) > 0 && old", "if false && old"}}},
	{"a store that failed is read again", "TestReloadBehindAFailure", []edit{
		{"storing.go", "o.reloads--\n\t\t\tif o.state.Storage.Degraded {", "o.reloads--\n\t\t\tif false {"}}},
	{"the log-in is shown in the wire log", "TestNextRunResumes", []edit{
		{"inspect.go", "e = withoutSecrets(e)", "_ = withoutSecrets"}}},
	{"only what the client itself says of a log-in is hidden", "TestInspector.*", []edit{
		{"inspect.go", "isSASL(e.Name.Space)", "f.Out && isSASL(e.Name.Space)"}}},
	{"a log-in that cannot be read is shown", "TestInspector.*", []edit{
		{"inspect.go", "if r.Element == nil && !c.bound {", "if false {"}}},
	{"a long message is shown whole", "TestInspector.*", []edit{
		{"inspect.go", "if n := MaxFrame; len(f.XML) > n {", "if n := len(f.XML); false {"}}},
	{"the text of a message is written anew", "TestMessageTexts", []edit{
		{"event.go", "m.XML = text", "m.XML = stanza.String()\n\t\t_ = text"}}},
	{"a text that other parsers refuse is handed on", "TestMessageTexts", []edit{
		{"../internal/element/source.go", "return \"\", ErrUnreadable", "return e.source, nil"}}},
	{"a declaration outside of an element is not added", "../internal/element TestXML.*", []edit{
		{"../internal/element/source.go", "for b := e.around; b != nil; b = b.outside {\n\t\tadd", "for b := e.around; false; b = b.outside {\n\t\tadd"}}},
	{"an inner declaration ends with its element only if few are in scope", "../internal/element TestXML.*", []edit{
		{"../internal/element/scope.go", "p.prefixes[b.prefix] = b.shadowed", "_ = b.shadowed"}}},
	{"a warning is as long as what it is about", "TestLongWarnings", []edit{
		{"error.go", "if n := maxWarning; len(short.Text) > n {", "if n := 0; false {"}}},
	{"an acknowledgement is asked for once", "../internal/stream TestAskedAgain", []edit{
		{"../internal/stream/unacked.go", "l.ackBy, l.ackLate, l.oldest = time.Time{}, false, s.now", "l.ackLate, l.oldest = false, s.now"}}},
	{"a server has for ever to acknowledge", "../internal/stream TestAskedAgain", []edit{
		{"../internal/stream/liveness.go", "case ackDue && (l.ackLate || !answerDue && !s.slept(l.ackBy)):", "case false:"}}},
	{"what is not acknowledged is kept without bound", "../internal/stream TestUnackedIsBounded", []edit{
		{"../internal/stream/unacked.go", "full := len(l.unacked) >= maxUnacked || l.bytes > maxUnackedBytes-MaxStanza", "full := false"}}},
	{"strangers fill what is kept", "../internal/stream TestUnackedIsBounded", []edit{
		{"../internal/stream/unacked.go", "case l.sending && s.answersStranger(e) &&", "case false &&"}}},
	{"a stuck session is resumed again", "../internal/stream TestStuck", []edit{
		{"../internal/stream/stream.go", "|| r.Stuck()) {", "|| false) {"}}},
	{"a stored session may have sent more for ever", "../internal/stream TestCountTooHigh", []edit{
		{"../internal/stream/sm.go", "l.behind, l.oldest = true, true, false, s.now", "l.behind, l.oldest = true, true, l.behind, s.now"}}},
	{"the first that waits counts as handled", "../internal/stream TestAfter", []edit{
		{"../internal/stream/sm.go", "after.H, after.Waiting = r.Waiting[n]-1, r.Waiting[n:]", "after.H, after.Waiting = r.Waiting[n], r.Waiting[n:]"}}},
	{"a refused session keeps its count", "../internal/stream TestEnableRefused", []edit{
		{"../internal/stream/sm.go", "*l = ledger{full: l.full}\n\tcase e.Name.Local == \"r\"", "_ = l\n\tcase e.Name.Local == \"r\""}}},
	{"the key has only the time of the negotiation", "TestDeriveSlowly", []edit{
		{"../internal/stream/auth.go", "\t\ts.phase = deriving\n\t\ts.setDeadline(0)\n", "\t\ts.phase = deriving\n"}}},
	{"the computation of the key outlives its connection", "TestDeriveEnds", []edit{
		{"connection.go", "context.WithTimeout(c.ctx, deriveTimeout)", "context.WithTimeout(context.Background(), deriveTimeout)"}}},
	{"a server that starts ends the attempts", "TestHalfStarted", []edit{
		{"attempt.go", "slow := o.wasLive &&", "slow := false &&"}}},
	{"refused credentials are sent again", "TestHalfStarted", []edit{
		{"final.go", "\treturn isRefused(err)\n", "\treturn false\n"}}},
	{"a weaker mechanism gets the password", "TestWeakerLogin", []edit{
		{"attempt.go", "Used: o.sync.mechanism, ", ""}}},
	{"the mechanism is forgotten by the next run", "TestWeakerLogin", []edit{
		{"record.go", "return appendString(value, s.mechanism)", "return appendString(value, \"\")"}}},
	{"a domain that looks like the account's is the account's", "TestLookAlikes", []edit{
		{"../internal/address/address.go", "case j.Domainpart() != lowerASCII(domain):", "case false:"}}},
	{"an error shows the token of an address", "TestNoToken", []edit{
		{"../transport/show.go", "if i := strings.IndexAny(shown, \"?#\"); i >= 0 {", "if i := -1; i >= 0 {"}}},
}

func TestMutants(t *testing.T) {
	if *flagMutants == "" {
		t.Skip("not asked for: make mutants")
	}
	asked, err := regexp.Compile(*flagMutants)
	if err != nil {
		t.Fatal(err)
	}
	if raceEnabled {
		t.Skip("it starts builds of its own, which the race detector does not see")
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
			in, by, elsewhere := strings.Cut(m.by, " ")
			if !elsewhere {
				in, by = ".", m.by
			}
			mutate.Find(t, m.edits, in, by)
		})
	}
}
