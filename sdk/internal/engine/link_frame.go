package engine

import (
	"strings"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// A frameLog numbers the sent and received messages and matches replies to requests.
type frameLog struct {
	on   bool
	seq  int64
	open map[string]openRequest
}

// An openRequest is an iq that has no reply yet.
type openRequest struct {
	seq   int64
	at    time.Time
	layer string
}

// Limits of a frameLog. An id longer than maxID is not matched.
const (
	maxOpen = 1000 // requests
	maxID   = 256  // bytes of an id
)

// describe fills in the fields of f that depend on e, the parsed message. e is nil if
// the message was rejected.
func (l *frameLog) describe(f *pam.Frame, e *element.Element) {
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

// layerOf returns the name of the extension that an element, or an element inside it,
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
