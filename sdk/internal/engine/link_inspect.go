package engine

import (
	"strings"
	"time"
	"unicode/utf8"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
)

// inspect sets whether messages are passed to OnFrame.
func (l *link) inspect(yes bool) {
	l.frames.on = yes && l.cfg.OnFrame != nil
	if l.conn != nil {
		l.conn.stream.Inspect(l.frames.on)
	}
}

// inspectRead reports a received message to OnFrame.
func (c *connection) inspectRead(r stream.Read) {
	f := pam.Frame{XML: r.Text, Bytes: len(r.Text)}
	if r.Element == nil && !c.bound {
		f.XML = ""
	}
	c.inspect(f, r.Element)
}

// inspectWrite reports a sent message to OnFrame.
func (c *connection) inspectWrite(w stream.Write) {
	if !c.link.frames.on {
		return
	}
	f := pam.Frame{Out: true, XML: w.Text, Bytes: len(w.Text)}
	var e *element.Element
	if len(w.Text) <= pam.MaxFrame {
		e, _ = element.Parse(w.Text, nil)
	}
	if w.Secret && e == nil {
		f.XML = ""
	}
	c.inspect(f, e)
}

// inspect passes a message, which was parsed as e, to OnFrame without its secrets.
func (c *connection) inspect(f pam.Frame, e *element.Element) {
	f.At = time.Now()
	if e != nil && isSASL(e.Name.Space) {
		e = withoutSecrets(e)
		f.XML = e.String()
		f.Bytes = len(f.XML)
	}
	c.link.frames.describe(&f, e)
	if n := pam.MaxFrame; len(f.XML) > n {
		for !utf8.RuneStart(f.XML[n]) {
			n--
		}
		f.XML = strings.Clone(f.XML[:n]) // so that it does not keep the whole message in memory
	}
	c.link.cfg.OnFrame(f)
}

// isSASL reports whether a namespace is one of SASL (RFC 6120 §6, XEP-0388). A
// challenge and its response must not be shown, because they allow an offline
// dictionary attack on the password.
func isSASL(space string) bool {
	return space == ns.SASL || strings.HasPrefix(space, "urn:xmpp:sasl:")
}

// withoutSecrets returns a copy of a SASL element without credentials.
func withoutSecrets(e *element.Element) *element.Element {
	shown := element.New(e.Name.Space, e.Name.Local)
	if mechanism, ok := e.Lookup("mechanism"); ok {
		shown.Set("mechanism", mechanism)
	}
	if condition := e.First(); e.Name.Local == "failure" && condition != nil {
		return shown.Add(element.New(condition.Name.Space, condition.Name.Local))
	}
	if len(e.Children) > 0 {
		shown.AddText("…")
	}
	return shown
}
