package stream

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// The limits of the sent stanzas that are kept until the server has acknowledged them. At
// these limits the stream hangs up or, if the server never answered <enable/>, stops
// counting. Answers to requests of other entities, which can send any number of requests,
// take at most an eighth.
const (
	maxUnacked      = 512
	maxUnackedBytes = 1 << 20
)

// MaxStanza is the maximum size in bytes of a sent stanza. Servers close the stream
// after larger ones than they accept; most accept at least 64 KiB (RFC 6120 §13.12
// requires 10,000 bytes).
const MaxStanza = 64 << 10

// writeStanza sends a stanza and keeps it until the server has acknowledged it.
func (s *Stream) writeStanza(e *element.Element) {
	l := &s.sm
	text := e.String()
	switch {
	case len(text) > MaxStanza:
		s.drop(fmt.Errorf("the client did not send a stanza of %d bytes: servers close the stream after more than %d", len(text), MaxStanza))
		return
	case l.sending && s.answersStranger(e) && (len(l.unacked) >= maxUnacked/8 || l.bytes+len(text) > maxUnackedBytes/8):
		s.drop(fmt.Errorf("the client did not answer a request of %s: the server has not acknowledged the last %d stanzas", cut(e.Attr("to")), len(l.unacked)))
		return
	}
	s.emit(Write{Text: text})
	if !l.sending {
		return
	}
	if len(l.unacked) == 0 {
		l.oldest = s.now
	}
	l.unacked = append(l.unacked, text)
	l.bytes += len(text)
	full := len(l.unacked) >= maxUnacked || l.bytes > maxUnackedBytes-MaxStanza
	switch {
	case full && l.counting:
		s.hangup(unresponsive(fmt.Sprintf("The server has not acknowledged the last %d stanzas.", len(l.unacked))))
	case full: // The server has never answered <enable/>.
		*l = smState{full: l.full, seq: l.seq}
	case len(l.unacked) >= askAfter:
		s.request()
	}
}

// answersStranger reports whether e answers a request of an entity other than the
// account's server.
func (s *Stream) answersStranger(e *element.Element) bool {
	kind, to := e.Attr("type"), e.Attr("to")
	return e.Name.Local == "iq" && (kind == "result" || kind == "error") &&
		to != "" && to != s.cfg.Account.String() && to != s.cfg.Account.Domainpart()
}

// request requests an acknowledgement, unless a request is pending. Before <enabled/>
// the server may not accept <r/>.
func (s *Stream) request() {
	if s.sm.counting && s.sm.ackBy.IsZero() {
		s.requestBy(ackTime)
	}
}

// requestBy requests an acknowledgement within d. A pending request keeps its earlier
// deadline; otherwise repeated requests would postpone the deadline without limit.
func (s *Stream) requestBy(d time.Duration) {
	if by := s.now.Add(d); s.sm.ackBy.IsZero() || by.Before(s.sm.ackBy) {
		s.sm.ackBy = by
	}
	s.write(element.New(ns.SM, "r"))
}

// acknowledged handles the server's count of received stanzas.
func (s *Stream) acknowledged(text string) {
	l := &s.sm
	err := l.forget(text)
	if err == nil {
		l.ackBy, l.ackLate, l.oldest = time.Time{}, false, s.now
		return
	}
	s.refuseCount(text, err)
}

// refuseCount ends the stream after an invalid count of the server (XEP-0198 §4).
func (s *Stream) refuseCount(text string, err *Error) {
	condition := element.New(ns.Streams, "undefined-condition")
	s.write(element.New(ns.Stream, "error").Add(condition, element.New(ns.SM, "handled-count-too-high").
		Set("h", cut(text)).Set("send-count", strconv.FormatUint(uint64(s.sm.acked+uint32(len(s.sm.unacked))), 10))))
	s.end(err)
}

// forget drops the sent stanzas that the server has acknowledged, up to number h.
func (l *smState) forget(text string) *Error {
	h, err := strconv.ParseUint(text, 10, 32)
	n := uint32(h) - l.acked
	known := min(uint64(n), uint64(len(l.unacked)))
	if err != nil || known < uint64(n) && !(l.mayHaveSentMore && int32(n) > 0) {
		return &Error{Code: CodeProtocol, Retry: true,
			Text: fmt.Sprintf("The server acknowledged %q stanzas, which is no count of what it was sent (XEP-0198 §4).", cut(text))}
	}
	l.acked = uint32(h)
	l.unacked = slices.Clone(l.unacked[known:])
	if n != 0 || len(l.unacked) == 0 {
		l.replays = 0
	}
	l.bytes = size(l.unacked)
	return nil
}

func size(texts []string) (n int) {
	for _, text := range texts {
		n += len(text)
	}
	return n
}
