package stream_test

import (
	"errors"
	"strings"
	"testing"

	"xmpp-pam/sdk/internal/stream"
)

func TestStreamErrors(t *testing.T) {
	for condition, want := range map[string]string{
		"conflict":               "conflict conflict",
		"policy-violation":       "stream policy-violation",
		"host-unknown":           "stream host-unknown",
		"host-gone":              "stream host-gone",
		"not-authorized":         "stream not-authorized",
		"see-other-host":         "stream see-other-host retry",
		"system-shutdown":        "stream system-shutdown retry",
		"reset":                  "stream reset retry",
		"connection-timeout":     "stream connection-timeout retry",
		"resource-constraint":    "stream resource-constraint retry",
		"something-of-next-year": "stream something-of-next-year retry",
	} {
		t.Run(condition, func(t *testing.T) {
			message := "S: <stream:error xmlns:stream='http://etherx.jabber.org/streams'><" + condition +
				" xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Said the server</text></stream:error>"
			for _, before := range []string{opened, asked, proved, asksBind, bound} {
				play(t, config(), before+message+closes+"= hangup "+want+": Said the server\n"+message)
			}
		})
	}
	play(t, config(), bound+"S: <error xmlns='http://etherx.jabber.org/streams'/>"+closes+"= hangup stream retry: ended the stream.")
	play(t, config(), bound+"S: <error xmlns='http://etherx.jabber.org/streams'><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>"+
		strings.Repeat("é", 10_000)+"</text></error>"+closes+"= hangup stream retry: "+strings.Repeat("é", 100)+"…")
}

// TestNotXMPP: what is no element ends the stream with the error it deserves.
func TestNotXMPP(t *testing.T) {
	for message, condition := range map[string]string{
		"":                                    "not-well-formed",
		"HTTP/1.1 502 Bad Gateway":            "not-well-formed",
		"</stream:stream>":                    "not-well-formed",
		"<message xmlns='jabber:client'>":     "not-well-formed",
		"<message xmlns='jabber:client'/><a/": "not-well-formed",
		"<message xmlns='jabber:client'/><presence xmlns='jabber:client'/>":                          "not-well-formed",
		"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>":              "not-well-formed",
		"<!DOCTYPE html><html></html>":                                                               "restricted-xml",
		"<message xmlns='jabber:client'><!-- x --></message>":                                        "restricted-xml",
		"<message xmlns='jabber:client'><body>&bomb;</body></message>":                               "restricted-xml",
		"<message xmlns='jabber:client' from='a@b' from='user@example.org'/>":                        "not-well-formed",
		"<message xmlns='jabber:client'><body>\xff</body></message>":                                 "not-well-formed",
		"<message xmlns='jabber:client'><body>&#xD800;</body></message>":                             "not-well-formed",
		"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' version='1.0'></opem>": "not-well-formed",
	} {
		for _, before := range []string{opened, asked, proved, asksBind, bound} {
			play(t, config(), before+"\nS: "+message+
				"\nC: <error xmlns='http://etherx.jabber.org/streams'><"+condition+" xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>"+
				closes+"= hangup protocol retry: not an XMPP message")
		}
	}
	for _, before := range []string{opened, asked, proved, asksBind} {
		play(t, config(), before+"\nS: <x:message xmlns='jabber:client'/>"+
			"\nC: <error xmlns='http://etherx.jabber.org/streams'><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>"+
			closes+"= hangup protocol retry: not an XMPP message")
	}
	const tcp = "S: <stream xmlns='http://etherx.jabber.org/streams' version='1.0'/>"
	play(t, config(), opened+tcp+closes+"= hangup protocol: TCP")
	play(t, config(), bound+tcp+closes+"= hangup protocol: TCP")
	// Before the login 64 KiB are the limit, and a message beyond it is fatal.
	play(t, config(), opened+strings.Replace(strings.TrimSpace(serverOpen), "/>", ">"+strings.Repeat("x", 64<<10)+"</open>", 1)+
		"\nC: <error xmlns='http://etherx.jabber.org/streams'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>"+
		closes+"= hangup protocol retry: not an XMPP message")
}

func TestClose(t *testing.T) {
	const (
		serverCloses = "S: <close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"
		message      = "<message xmlns='jabber:client'/>"
		closing      = bound + "do close" + closes + "= timer 2s\n"
	)
	// Ours.
	play(t, config(), closing+serverCloses+"\n= hangup\n"+serverCloses+"\ndo tick\ndo closed")
	play(t, config(), closing+"do close\ndo later 1s\n= timer 1s\ndo later 1s\n= hangup")
	play(t, config(), closing+"do closed!\n= hangup")
	play(t, config(), closing+"S: <error xmlns='http://etherx.jabber.org/streams'/>\n= hangup")
	play(t, config(), closing+"S: garbage\n= hangup")
	// What was on its way still arrives, but nothing is said any more.
	play(t, config(), closing+"S: "+message+"\n= deliver "+message+`
S: <iq xmlns='jabber:client' type='get' id='1'/>
= dropped exactly one
do send `+message+"\n"+serverCloses+"\n= hangup")
	// Before the session.
	play(t, config(), "do close\n= hangup\ndo opened")
	for _, before := range []string{opened, asked, challenged, asksBind} {
		play(t, config(), before+"do close"+closes+"= hangup\ndo close")
	}
	// The server's.
	for _, before := range []string{opened, asked, proved, asksBind, bound} {
		play(t, config(), before+serverCloses+closes+"= hangup stream retry: closed the stream\ndo closed")
	}
}

func TestClosed(t *testing.T) {
	for _, before := range []string{"", opened, asked, proved, bound} {
		play(t, config(), before+"\ndo closed!\n= hangup transport retry: lost\ndo closed")
		play(t, config(), before+"\ndo closed\n= hangup transport retry: lost\ndo opened")
	}
	s := session(t)
	cause := errors.New("broken pipe")
	out := s.Step(start, stream.Closed{Err: cause})
	if err := out[0].(stream.Hangup).Err; !errors.Is(err, cause) {
		t.Errorf("%v does not wrap the cause", err)
	}
}

func TestErrorText(t *testing.T) {
	s := session(t)
	out := s.Step(start, stream.Message{Text: "<error xmlns='http://etherx.jabber.org/streams'><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>"})
	err := out[len(out)-1].(stream.Hangup).Err
	if got, want := err.Error(), "stream: The server ended the stream with reset."; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}

// TestUndeclaredStreamError reads the stream errors of Prosody 13.0, whose prefix
// is not declared (transcripts of 13.0.1), and nothing that is only like them.
func TestUndeclaredStreamError(t *testing.T) {
	const (
		streams = "xmlns='urn:ietf:params:xml:ns:xmpp-streams'"
		replace = "<stream:error><conflict " + streams + "/><text " + streams + ">Replaced by new connection</text></stream:error>"
		deleted = "<stream:error><not-authorized " + streams + "/><text " + streams + ">Account deleted</text></stream:error>"
	)
	for _, before := range []string{opened, asked, deriving, proved, asksBind, bound} {
		play(t, config(), before+"\nS: "+replace+closes+"= hangup conflict conflict: Replaced by new connection")
		play(t, config(), before+"\nS: "+deleted+closes+"= hangup stream not-authorized: Account deleted")
	}
	play(t, config(), bound+"do close"+closes+"= timer 2s\nS: "+replace+"\n= hangup")
	for _, message := range []string{
		"<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>",
		"<stream:errors><conflict " + streams + "/></stream:errors>",
		"<Stream:error><conflict " + streams + "/></Stream:error>",
		"<s:error><conflict " + streams + "/></s:error>",
		"<stream:error><stream:conflict x:y='z'/></stream:error>",
		"<message xmlns='jabber:client'><stream:error><conflict " + streams + "/></stream:error></message>",
		"<stream:message xmlns='jabber:client'><stream:error><conflict " + streams + "/></stream:error></stream:message>",
	} {
		play(t, config(), bound+"S: "+message+"\n= dropped prefix"+arrives)
	}
	for _, message := range []string{
		" " + replace, replace + replace, replace + "<stream:error>", "<stream:error>", "<stream:error><conflict>",
		"<stream:error><!-- --></stream:error>", "<stream:error>&x;</stream:error>",
	} {
		s := session(t)
		out := s.Step(start, stream.Message{Text: message})
		if h, ok := out[len(out)-1].(stream.Hangup); !ok || h.Err.Code != stream.CodeProtocol {
			t.Errorf("%q became %#v", message, out)
		}
	}
}
