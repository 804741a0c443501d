//go:build js && wasm

package main

import "xmpp-pam/sdk/client"

// onFrame posts one message of the wire inspector:
//
//	frame {seq, at, out, kind, layer, id, replyTo, rttMs, bytes, cut, xml}
//
// bytes is the length of the message. It is cut if xml is only its beginning.
func (b *bridge) onFrame(f client.Frame) {
	b.event((*page).takesFrames, "frame", func(w *writer) {
		w.key("seq")
		w.int(f.Seq)
		w.key("at")
		w.time(f.At)
		w.key("out")
		w.bool(f.Out)
		w.text("kind", f.Kind)
		w.text("layer", f.Layer)
		w.text("id", f.ID)
		if f.ReplyTo != 0 {
			w.key("replyTo")
			w.int(f.ReplyTo)
			w.key("rttMs")
			w.int(f.RTT.Milliseconds())
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
