package client

import (
	"strings"
	"time"
)

// inspect shows a message to the inspector.
func (c *connection) inspect(out bool, xml string, secret bool) {
	if c.o.opts.OnFrame == nil {
		return
	}
	if secret {
		xml = redact(xml)
	}
	c.o.opts.OnFrame(Frame{At: time.Now(), Out: out, XML: xml})
}

// proves tells whether a message of a log-in lets somebody who reads it guess
// the password at leisure: a SCRAM challenge or the server's proof.
func proves(xml string) bool {
	return strings.HasPrefix(xml, "<challenge") || strings.HasPrefix(xml, "<success")
}

// redact empties the one element that a message is, and keeps it well-formed.
func redact(xml string) string {
	end := strings.IndexByte(xml, '>')
	if end < 1 || xml[0] != '<' {
		return "…"
	}
	if xml[end-1] == '/' {
		return xml[:end+1]
	}
	name, _, _ := strings.Cut(xml[1:end], " ")
	return xml[:end+1] + "…</" + name + ">"
}
