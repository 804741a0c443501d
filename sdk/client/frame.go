package client

import (
	"strings"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// MaxFrame is how many bytes of a message a Frame shows.
const MaxFrame = 64 << 10

// A Frame is one message on the wire.
type Frame struct {
	Seq int64 // counts the frames of a Client from 1
	At  time.Time
	Out bool
	// XML is the message, or its first MaxFrame bytes. Of an element of a log-in
	// (SASL) only the name is shown, the mechanism, and the condition of a
	// failure. A message of the server that cannot be read is not shown before
	// the log-in: what it holds is not known.
	XML string
	// Bytes is the length of the message. It is more than that of XML if not all
	// is shown. Of an element of a log-in it is the length of what is shown.
	Bytes int

	// Kind is "iq", "message" or "presence" for a stanza, "sasl" for an element of
	// the log-in, "sm" for one of XEP-0198, and "stream" for any other and for a
	// message that was refused.
	Kind string
	// Layer names the extension that the message is about: "pam", "pubsub", "mam",
	// "disco" or "caps"; it is empty for any other. A result without a payload is
	// about what its request is about.
	Layer string
	// ID is that of the element. One of more than 256 bytes is left out.
	ID string
	// ReplyTo is the Seq of the request that an iq of type result or error answers,
	// and RTT the time between the two. ReplyTo is 0 if there is none.
	ReplyTo int64
	RTT     time.Duration
}

// A frameLog numbers the messages on the wire and pairs replies with requests.
type frameLog struct {
	seq  int64
	open map[string]openRequest
}

// An openRequest is an iq that has no reply yet.
type openRequest struct {
	seq   int64
	at    time.Time
	layer string
}

// Bounds of what is remembered and shown. A longer id pairs nothing.
const (
	maxOpen = 1000 // requests
	maxID   = 256  // bytes of an id
)

// describe says what f is, which was parsed as e; nil if it was refused.
func (l *frameLog) describe(f *Frame, e *element.Element) {
	l.seq++
	f.Seq, f.Kind = l.seq, "stream"
	if e == nil {
		return
	}
	f.Kind, f.Layer, f.ID = kindOf(e), layerOf(e, 3), e.Attr("id")
	if len(f.ID) > maxID {
		f.ID = ""
	}
	if f.Kind != "iq" || f.ID == "" {
		return
	}
	switch e.Attr("type") {
	case "get", "set":
		if l.open == nil || len(l.open) >= maxOpen {
			l.open = map[string]openRequest{}
		}
		l.open[requestKey(f.Out, f.ID)] = openRequest{seq: f.Seq, at: f.At, layer: f.Layer}
	case "result", "error":
		key := requestKey(!f.Out, f.ID)
		if r, ok := l.open[key]; ok {
			delete(l.open, key)
			f.ReplyTo, f.RTT = r.seq, f.At.Sub(r.at)
			if f.Layer == "" {
				f.Layer = r.layer
			}
		}
	}
}

func requestKey(out bool, id string) string {
	if out {
		return ">" + id
	}
	return "<" + id
}

func kindOf(e *element.Element) string {
	switch {
	case isSASL(e.Name.Space):
		return "sasl"
	case e.Name.Space == ns.SM:
		return "sm"
	case e.Is(ns.Client, "iq"), e.Is(ns.Client, "message"), e.Is(ns.Client, "presence"):
		return e.Name.Local
	}
	return "stream"
}

// layerOf names the extension that an element, or something inside it,
// belongs to. The outermost one counts.
func layerOf(e *element.Element, depth int) string {
	switch space := e.Name.Space; {
	case space == ns.PAM:
		return "pam"
	case space == ns.Pubsub, strings.HasPrefix(space, ns.Pubsub+"#"):
		return "pubsub"
	case space == ns.MAM:
		return "mam"
	case strings.HasPrefix(space, ns.Disco+"#"):
		return "disco"
	case space == ns.Caps:
		return "caps"
	}
	if depth == 0 || e.Is(ns.Stream, "features") {
		return ""
	}
	for c := range e.Elements() {
		if layer := layerOf(c, depth-1); layer != "" {
			return layer
		}
	}
	return ""
}
