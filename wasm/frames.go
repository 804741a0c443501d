//go:build js && wasm

package main

import (
	"strings"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/pubsub"
)

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

// onFrame posts one message of the wire inspector:
//
//	frame {seq, at, out, kind, layer, id, replyTo, rttMs, bytes, cut, xml}
//
// bytes is the length of the message. It is cut if xml is only its beginning.
func (b *bridge) onFrame(f client.Frame) {
	d := b.frames.describe(f)
	b.event("frame", func(w *writer) {
		w.key("seq")
		w.int(d.seq)
		w.key("at")
		w.time(f.At)
		w.key("out")
		w.bool(f.Out)
		w.text("kind", d.kind)
		w.text("layer", d.layer)
		w.text("id", d.id)
		if d.replyTo != 0 {
			w.key("replyTo")
			w.int(d.replyTo)
			w.key("rttMs")
			w.int(d.rtt.Milliseconds())
		}
		w.key("bytes")
		w.int(int64(f.Bytes))
		if f.Bytes > len(f.XML) {
			w.key("cut")
			w.bool(true)
		}
		w.key("xml")
		w.string(f.XML)
	})
}

// A description says what a message is.
type description struct {
	seq             int64
	kind, layer, id string
	replyTo         int64
	rtt             time.Duration
}

// describe takes what was parsed. What was refused is of kind "stream".
func (l *frameLog) describe(f client.Frame) description {
	l.seq++
	d := description{seq: l.seq, kind: "stream"}
	e := f.Element
	if e == nil {
		return d
	}
	d.kind, d.layer, d.id = kindOf(e), layerOf(e, 3), e.Attr("id")
	if len(d.id) > maxID {
		d.id = ""
	}
	if d.kind != "iq" || d.id == "" {
		return d
	}
	switch e.Attr("type") {
	case "get", "set":
		if l.open == nil || len(l.open) >= maxOpen {
			l.open = map[string]openRequest{}
		}
		l.open[requestKey(f.Out, d.id)] = openRequest{seq: d.seq, at: f.At, layer: d.layer}
	case "result", "error":
		key := requestKey(!f.Out, d.id)
		if r, ok := l.open[key]; ok {
			delete(l.open, key)
			d.replyTo, d.rtt = r.seq, f.At.Sub(r.at)
			if d.layer == "" {
				d.layer = r.layer
			}
		}
	}
	return d
}

func requestKey(out bool, id string) string {
	if out {
		return ">" + id
	}
	return "<" + id
}

func kindOf(e *element.Element) string {
	switch e.Name.Space {
	case "urn:ietf:params:xml:ns:xmpp-sasl", "urn:xmpp:sasl:2":
		return "sasl"
	case "urn:xmpp:sm:3":
		return "sm"
	case "jabber:client":
		switch e.Name.Local {
		case "iq", "message", "presence":
			return e.Name.Local
		}
	}
	return "stream"
}

// layerOf names the extension that an element, or something inside it,
// belongs to. The outermost one counts.
func layerOf(e *element.Element, depth int) string {
	switch ns := e.Name.Space; {
	case ns == pam.NS:
		return "pam"
	case ns == pubsub.NS, strings.HasPrefix(ns, pubsub.NS+"#"):
		return "pubsub"
	case ns == "urn:xmpp:mam:2":
		return "mam"
	case strings.HasPrefix(ns, "http://jabber.org/protocol/disco#"):
		return "disco"
	case ns == "http://jabber.org/protocol/caps":
		return "caps"
	}
	if depth == 0 || e.Is("http://etherx.jabber.org/streams", "features") {
		return ""
	}
	for c := range e.Elements() {
		if layer := layerOf(c, depth-1); layer != "" {
			return layer
		}
	}
	return ""
}
