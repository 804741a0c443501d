package mem

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

const maxLog = 10000 // maximum number of frames kept for Log; the oldest are discarded

// Frame is one WebSocket message, as it was sent or received.
type Frame struct {
	Session string // remote address, or the full JID once a resource is bound
	Out     bool   // from the server to the client
	XML     string // as on the wire; login secrets sent by the client are replaced by "…"
	At      time.Time
}

// Log returns the newest 10,000 messages sent and received. Messages of one session
// are in order.
func (s *Server) Log() []Frame {
	s.logMu.Lock()
	defer s.logMu.Unlock()
	return slices.Clone(s.log)
}

// SetLog passes every message to observe, one at a time, before it is sent or
// handled. observe must return quickly and must not call the server; nil stops this.
func (s *Server) SetLog(observe func(Frame)) {
	s.logMu.Lock()
	defer s.logMu.Unlock()
	s.observe = observe
}

// record logs a message from the client.
func (s *Server) record(c *session, msg []byte) {
	s.mu.Lock()
	f := Frame{Session: c.name, XML: string(msg), At: time.Now()}
	if c.phase == wantOpen || c.phase == wantAuth {
		f.XML = redact(f.XML)
	}
	s.mu.Unlock()
	s.logFrame(f)
}

func (s *Server) logFrame(f Frame) {
	s.logMu.Lock()
	defer s.logMu.Unlock()
	if len(s.log) >= maxLog {
		s.log = slices.Delete(s.log, 0, maxLog/10)
	}
	s.log = append(s.log, f)
	if s.observe != nil {
		s.observe(f)
	}
}

var credentials = regexp.MustCompile(`<(?:[^\s<>:]+:)?(?:auth|response)[\s/>]`)

// redact removes the secrets from a SASL message, even if it cannot be parsed.
func redact(xml string) string {
	at := credentials.FindStringIndex(xml)
	if at == nil {
		return xml
	}
	start := strings.Index(xml[at[0]:], ">")
	if start < 0 {
		return xml[:at[1]] + "…"
	}
	start += at[0] + 1
	if end := strings.LastIndex(xml, "</"); end >= start {
		return xml[:start] + "…" + xml[end:]
	}
	if strings.TrimSpace(xml[start:]) == "" {
		return xml
	}
	return xml[:start] + "…"
}
