//go:build !js

package client_test

import (
	"errors"
	"fmt"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

// A wrongAnswer is what a server sends in place of one of its answers.
type wrongAnswer struct {
	name  string
	at    loginStage
	says  []string // and nothing after it; if nil, the server cuts the connection
	final pam.Code // of the error that ends the attempts; empty if none does
}

// A loginStage is the request that the server answers wrongly.
type loginStage string

const (
	atOpening  loginStage = "opening"
	loggingIn  loginStage = "logging in"
	reopening  loginStage = "reopening"
	resuming   loginStage = "resuming"
	bindingNew loginStage = "binding"
)

// wrongAnswers returns all wrong answers of a reconnection.
func wrongAnswers() []wrongAnswer {
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
	var out []wrongAnswer
	add := func(final pam.Code, at loginStage, name string, says ...string) {
		out = append(out, wrongAnswer{string(at) + ": " + name, at, says, final})
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

func (f *halfStarted) at(m loginStage) (wrongAnswer, bool) {
	if len(f.wrong) == 0 || f.wrong[0].at != m {
		return wrongAnswer{}, false
	}
	wrong := f.wrong[0]
	f.wrong = f.wrong[1:]
	return wrong, true
}

// A half-started server accepts sessions that can be resumed, but answers the next
// connections with wrong answers.
type halfStarted struct {
	*scripted
	wrong    []wrongAnswer // one for each of the next connections; none later
	sessions int
	received int // stanzas of the session since <enable/>
	counting bool
}

func newHalfStarted() *halfStarted {
	f := &halfStarted{scripted: newScripted()}
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
		if wrong, ok := f.at(now); ok {
			if wrong.says == nil {
				s.fail(errors.New("reset"))
			}
			s.push(wrong.says...)
			return true
		}
		switch {
		case now == reopening:
			s.open("<bind xmlns='" + nsBind + "'/><sm xmlns='" + nsSM + "'/>")
		case e.Is(nsSM, "enable"):
			f.sessions++
			f.counting, f.received = true, 0
			s.push(fmt.Sprintf("<enabled xmlns='%s' id='sm%d' resume='true'/>", nsSM, f.sessions))
		case e.Is(nsSM, "resume") && len(f.wrong) > 0 && f.wrong[0].at == bindingNew:
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
