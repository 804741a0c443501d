package client

import (
	"strings"
	"time"
	"unicode/utf8"

	"xmpp-pam/sdk/element"
	"xmpp-pam/sdk/stream"
)

// MaxFrame is how many bytes of a message a Frame shows.
const MaxFrame = 64 << 10

// A Frame is one message on the wire.
type Frame struct {
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
	// Element is the message as it was parsed, once, and under the limits of the
	// moment; nil if it was refused. Of an element of a log-in it is what is shown.
	Element *element.Element
}

// inspectRead shows a message of the server.
func (c *connection) inspectRead(r stream.Read) {
	f := Frame{XML: r.Text, Bytes: len(r.Text), Element: r.Element}
	if r.Element == nil && !c.bound {
		f.XML = ""
	}
	c.inspect(f)
}

// inspectWrite shows an own message.
func (c *connection) inspectWrite(w stream.Write) {
	if c.o.opts.OnFrame == nil {
		return
	}
	f := Frame{Out: true, XML: w.Text, Bytes: len(w.Text)}
	if len(w.Text) <= MaxFrame {
		f.Element, _ = element.Parse(w.Text, nil)
	}
	if w.Secret && f.Element == nil {
		f.XML = ""
	}
	c.inspect(f)
}

// inspect shows a message without what must not be seen.
func (c *connection) inspect(f Frame) {
	f.At = time.Now()
	if e := f.Element; e != nil && isSASL(e.Name.Space) {
		f.Element = withoutSecrets(e)
		f.XML = f.Element.String()
		f.Bytes = len(f.XML)
	}
	if n := MaxFrame; len(f.XML) > n {
		for !utf8.RuneStart(f.XML[n]) {
			n--
		}
		f.XML = strings.Clone(f.XML[:n]) // or it would keep all of the message
	}
	c.o.opts.OnFrame(f)
}

// isSASL reports whether a namespace is one of those in which a client logs in
// (RFC 6120 §6, XEP-0388). Whoever reads a challenge and its answer can guess the
// password at leisure.
func isSASL(space string) bool {
	return space == stream.NSSASL || strings.HasPrefix(space, "urn:xmpp:sasl:")
}

// withoutSecrets returns what of an element of a log-in may be seen.
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
