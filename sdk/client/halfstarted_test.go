//go:build !js

package client_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// A half-started server grants sessions that can be resumed, but says odd things
// at the connections for which there are oddities.
type halfStarted struct {
	*scripted
	odd      []oddity // of the next connections, one each; then all is well
	sessions int
	received int // stanzas of the session since <enable/>
	counting bool
}

// An oddity is what a server says instead of one of its answers.
type oddity struct {
	name  string
	at    loginStage
	says  []string // and then nothing; none of it cuts the connection
	final pam.Code
}

// A loginStage is what the client has sent when the server answers oddly.
type loginStage string

const (
	atOpening  loginStage = "opening"
	loggingIn  loginStage = "logging in"
	reopening  loginStage = "reopening"
	resuming   loginStage = "resuming"
	bindingNew loginStage = "binding"
)

func (f *halfStarted) at(m loginStage) (oddity, bool) {
	if len(f.odd) == 0 || f.odd[0].at != m {
		return oddity{}, false
	}
	odd := f.odd[0]
	f.odd = f.odd[1:]
	return odd, true
}

func newHalfStarted() *halfStarted {
	f := &halfStarted{scripted: newScripted()}
	features := func(s *socket, inside string) {
		s.push("<open xmlns='"+nsFraming+"' from='localhost' id='s' version='1.0'/>",
			"<stream:features xmlns:stream='http://etherx.jabber.org/streams'>"+inside+"</stream:features>")
	}
	f.handle = func(s *socket, e *element.Element) bool {
		var now loginStage
		switch {
		case e.Is(nsFraming, "open") && !s.authed:
			now = atOpening
		case e.Is(nsFraming, "open"):
			now = reopening
		case e.Is(nsSASL, "auth"):
			now = loggingIn
		case e.Is(nsSM, "resume"):
			now = resuming
		case e.Child(nsBind, "bind") != nil:
			now = bindingNew
		}
		if odd, ok := f.at(now); ok {
			if odd.says == nil {
				s.fail(errors.New("reset"))
			}
			s.push(odd.says...)
			return true
		}
		switch {
		case now == reopening:
			features(s, "<bind xmlns='"+nsBind+"'/><sm xmlns='"+nsSM+"'/>")
		case e.Is(nsSM, "enable"):
			f.sessions++
			f.counting, f.received = true, 0
			s.push(fmt.Sprintf("<enabled xmlns='%s' id='sm%d' resume='true'/>", nsSM, f.sessions))
		case e.Is(nsSM, "resume") && len(f.odd) > 0 && f.odd[0].at == bindingNew:
			s.push("<failed xmlns='" + nsSM + "'/>")
		case e.Is(nsSM, "resume") && e.Attr("previd") == fmt.Sprintf("sm%d", f.sessions):
			s.push(fmt.Sprintf("<resumed xmlns='%s' previd='%s' h='%d'/>", nsSM, e.Attr("previd"), f.received))
		case e.Is(nsSM, "resume"):
			s.push("<failed xmlns='" + nsSM + "'/>")
		case e.Is(nsSM, "r"):
			s.push(fmt.Sprintf("<a xmlns='%s' h='%d'/>", nsSM, f.received))
		default:
			if f.counting && e.Name.Space == nsClient && now == "" {
				f.received++
			}
			return false
		}
		return true
	}
	return f
}

// oddities are all that a server may say at a reconnection.
func oddities() []oddity {
	streamError := func(condition string) string {
		return "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><" + condition + " xmlns='" + nsStreams + "'/></stream:error>"
	}
	features := func(inside string) string {
		return "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>" + inside + "</stream:features>"
	}
	open := func(from, version string) string {
		return "<open xmlns='" + nsFraming + "' from='" + from + "' id='s' version='" + version + "'/>"
	}
	failure := func(condition string) string {
		return "<failure xmlns='" + nsSASL + "'>" + condition + "</failure>"
	}
	var out []oddity
	add := func(final pam.Code, at loginStage, name string, says ...string) {
		out = append(out, oddity{string(at) + ": " + name, at, says, final})
	}
	everywhere := []loginStage{atOpening, loggingIn, reopening, resuming, bindingNew}
	for _, at := range everywhere {
		for _, condition := range []string{"host-unknown", "host-gone", "policy-violation", "not-authorized", "undefined-condition",
			"internal-server-error", "remote-connection-failed", "resource-constraint", "system-shutdown", "improper-addressing",
			"unsupported-version", "invalid-namespace", "see-other-host", "something-of-next-year"} {
			add("", at, condition, streamError(condition))
		}
		add(pam.CodeConflict, at, "conflict", streamError("conflict"))
		add("", at, "cut")
		add("", at, "silence", []string{}...)
		out[len(out)-1].says = []string{}
		add("", at, "close", "<close xmlns='"+nsFraming+"'/>")
		add("", at, "close to another host", goTo("wss://other.example/"))
		add("", at, "no XML", "HTTP/1.1 502 Bad Gateway")
		add("", at, "a message", "<message xmlns='jabber:client' from='bob@localhost'/>")
		add("", at, "an r", "<r xmlns='"+nsSM+"'/>")
		add("", at, "XMPP over TCP", "<stream xmlns='http://etherx.jabber.org/streams' version='1.0'/>")
	}
	for _, at := range []loginStage{atOpening, reopening} {
		add("", at, "another host", open("default.example", "1.0"), features(""))
		add("", at, "no host", open("", "1.0"), features(""))
		add("", at, "another version", open("localhost", "0.9"), features(""))
		add("", at, "nothing offered", open("localhost", "1.0"), features(""))
		add("", at, "no features", features(""))
	}
	mechanisms := func(names string) string {
		return features("<mechanisms xmlns='" + nsSASL + "'>" + names + "</mechanisms>")
	}
	add("", atOpening, "no mechanisms", open("localhost", "1.0"), mechanisms(""))
	add("", atOpening, "strange mechanisms", open("localhost", "1.0"), mechanisms("<mechanism>DIGEST-MD5</mechanism>"))
	add("", atOpening, "bind", open("localhost", "1.0"), features("<bind xmlns='"+nsBind+"'/>"))
	add("", reopening, "mechanisms again", open("localhost", "1.0"), mechanisms("<mechanism>PLAIN</mechanism>"))
	for _, condition := range []string{"not-authorized", "account-disabled", "credentials-expired", "invalid-authzid", "something-of-next-year"} {
		add(pam.CodeAuth, loggingIn, condition, failure("<"+condition+"/>"))
	}
	add(pam.CodeAuth, loggingIn, "failure", failure(""))
	for _, condition := range []string{"temporary-auth-failure", "aborted", "invalid-mechanism", "mechanism-too-weak", "malformed-request", "encryption-required", "incorrect-encoding"} {
		add("", loggingIn, condition, failure("<"+condition+"/>"))
	}
	add("", loggingIn, "a challenge", "<challenge xmlns='"+nsSASL+"'>eA==</challenge>")
	add("", loggingIn, "success that is no base64", "<success xmlns='"+nsSASL+"'>!</success>")
	add("", resuming, "another previd", "<resumed xmlns='"+nsSM+"' previd='other' h='0'/>")
	add("", resuming, "no previd", "<resumed xmlns='"+nsSM+"' h='0'/>")
	add("", resuming, "no h", "<resumed xmlns='"+nsSM+"' previd='sm1'/>")
	add("", resuming, "a higher h", "<resumed xmlns='"+nsSM+"' previd='sm1' h='1000'/>")
	add("", resuming, "enabled", "<enabled xmlns='"+nsSM+"' id='sm7' resume='true'/>")
	add("", resuming, "an a", "<a xmlns='"+nsSM+"' h='0'/>")
	add("", resuming, "features", features(""))
	return out
}

// reconnect has a client that is live meet oddities at its next connections, and
// returns it after half an hour.
func (f *halfStarted) reconnect(t *testing.T, odd ...oddity) *device {
	a := f.device(t).connect()
	synctest.Wait()
	f.odd = odd
	f.socket().fail(errors.New("reset"))
	for range 30 * 60 {
		time.Sleep(time.Second)
		synctest.Wait()
		if p := a.State().Phase; p == pam.PhaseFailed || p == pam.PhaseLive && len(f.odd) == 0 {
			break
		}
		if s := f.socket(); len(f.odd) > 0 && a.State().Phase == pam.PhaseLive { // It was not asked yet.
			s.fail(errors.New("reset"))
		}
	}
	return a
}

// TestHalfStarted: once a session was live, only refused credentials and a
// conflict end the attempts. Whatever else a server says at a reconnection, the
// client is live again as soon as the server is in order.
func TestHalfStarted(t *testing.T) {
	for _, odd := range oddities() {
		bubble(t, odd.name, func(t *testing.T) {
			f := newHalfStarted()
			a := f.reconnect(t, odd)
			s := a.State()
			switch {
			case odd.final == "" && s.Phase != pam.PhaseLive:
				t.Errorf("it is %s: %v", s.Phase, s.Err)
			case odd.final != "" && (s.Phase != pam.PhaseFailed || s.Err.Code != odd.final || s.Err.Retryable):
				t.Errorf("it is %s: %v; want code %s", s.Phase, s.Err, odd.final)
			case odd.final == "":
				if err := a.Refresh(t.Context(), false); err != nil {
					t.Errorf("it is live and of no use: %v", err)
				}
			}
			_ = a.Close()
		})
	}
}

// TestSilentAccount: a domain that does not offer PAM says nothing of an account
// that does not answer yet, and the list is asked for again.
func TestSilentAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newScripted()
		started := false
		f.handle = func(s *socket, e *element.Element) bool {
			switch {
			case started:
				return false
			case isDisco(e) && e.Attr("to") == "localhost":
				s.result(e, "<query xmlns='"+nsInfo+"'/>")
			case !isDisco(e) && !isList(e):
				return false
			}
			return true
		}
		a := f.device(t)
		_, err := a.Connect(t.Context())
		if got := asError(t, err); !got.Retryable || a.State().Missing != nil {
			t.Errorf("%v, missing %q", got, a.State().Missing)
		}
		f.set(func() { started = true })
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := a.State(); s.Phase != pam.PhaseLive || s.Missing != nil {
			t.Errorf("it is %s without %q", s.Phase, s.Missing)
		}
		_ = a.Close()
	})
}

// TestHalfStartedRepeatedly draws several oddities in a row.
func TestHalfStartedRepeatedly(t *testing.T) {
	all := oddities()
	random := seeded(t)
	n := 300
	if testing.Short() || raceEnabled {
		n = 60
	}
	for i := range n {
		var names []string
		var drawn []oddity
		final := false
		for range 2 + random.IntN(4) {
			odd := all[random.IntN(len(all))]
			if final = final || odd.final != ""; odd.final != "" && random.IntN(4) > 0 {
				final = false
				continue
			}
			drawn, names = append(drawn, odd), append(names, odd.name)
			if final {
				break
			}
		}
		synctest.Test(t, func(t *testing.T) {
			f := newHalfStarted()
			a := f.reconnect(t, slices.Clone(drawn)...)
			switch s := a.State(); {
			case s.Phase == pam.PhaseLive && len(f.odd) == 0:
			case s.Phase == pam.PhaseFailed && final && len(f.odd) == 0 && s.Err.Code == drawn[len(drawn)-1].final:
			default:
				t.Errorf("schedule %d: %q: it is %s (%v), %d to come", i, names, s.Phase, s.Err, len(f.odd))
			}
			_ = a.Close()
		})
	}
}

// TestLongBackOff: what only a person can change is not asked for every second.
func TestLongBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newHalfStarted()
		a := f.device(t).connect()
		f.handle = func(s *socket, e *element.Element) bool {
			if e.Is(nsFraming, "open") {
				s.push("<error xmlns='http://etherx.jabber.org/streams'><host-unknown xmlns='" + nsStreams + "'/></error>")
				return true
			}
			return false
		}
		f.socket().fail(errors.New("reset"))
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(f.dialed()); n < 60 || n > 122 {
			t.Errorf("it dialed %d times in an hour", n)
		}
		if s := a.State(); s.Phase != pam.PhaseWaiting || s.Err.Condition != "host-unknown" || !s.Err.Retryable {
			t.Errorf("%+v (%v)", s, s.Err)
		}
		_ = a.Close()
	})
}

// TestNeverLive: before the first session what cannot heal by itself is final.
func TestNeverLive(t *testing.T) {
	for _, odd := range oddities() {
		if odd.name != "opening: host-unknown" && odd.name != "opening: nothing offered" {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			f := newHalfStarted()
			f.odd = []oddity{odd}
			a := f.device(t)
			if _, err := a.Connect(t.Context()); asError(t, err).Retryable || a.State().Phase != pam.PhaseFailed {
				t.Errorf("%s: %v, and it is %s", odd.name, err, a.State().Phase)
			}
			_ = a.Close()
		})
	}
}

// TestBadResumption: whatever a server answers to the request of a new run of the
// program to resume the stored session, a new session is live soon, though none was
// live in this run.
func TestBadResumption(t *testing.T) {
	bad := map[string]bool{"another previd": true, "no previd": true, "no h": true, "a higher h": true, "enabled": true, "an a": true,
		"features": true, "a message": true, "an r": true, "cut": true, "silence": true, "close": true, "no XML": true}
	tried := 0
	for _, odd := range oddities() {
		if name, ok := strings.CutPrefix(odd.name, "resuming: "); !ok || !bad[name] {
			continue
		}
		tried++
		bubble(t, odd.name, func(t *testing.T) {
			f, kept := newHalfStarted(), keep(store.NewMemory())
			stored := inTab(kept, "tab")
			a := f.device(t, quick, stored).connect()
			time.Sleep(time.Second)
			f.odd = []oddity{odd}
			b := f.device(t, quick, stored)
			if _, err := b.Connect(t.Context()); err != nil && !asError(t, err).Retryable {
				t.Errorf("the attempt ended with %v", err)
			}
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			if s := b.State(); s.Phase != pam.PhaseLive || len(f.odd) > 0 {
				t.Errorf("it is %s: %v; asked: %v", s.Phase, s.Err, len(f.odd) == 0)
			}
			_ = a.Close()
			_ = b.Close()
		})
	}
	if tried != len(bad) {
		t.Errorf("%d of %d were tried", tried, len(bad))
	}
}
