package engine

import "xmpp-pam/sdk/internal/stream"

// sleep acknowledges what is stored, because the program may be suspended soon.
func (l *link) sleep() {
	if l.conn.usable() {
		l.conn.step(stream.Sleep{})
	}
}

// freeze drops the connection without closing the stream, and ends the wait between
// attempts. The next attempt is made by wake or connect.
func (l *link) freeze() {
	if !l.wanted || l.cfg.Policy.Off { // An end of the connection would be final.
		return
	}
	why := &stream.Error{Code: stream.CodeTransport, Retry: true,
		Text: "The connection was closed because the program is about to be suspended. The next one follows when it goes on."}
	l.stopRetry()
	l.frozen = true
	if l.conn != nil {
		l.conn.end(why)
	} else {
		l.proceed(connectionDown{next: l.afterFailure(streamError(why))})
	}
}

// wake ends the wait between attempts, or checks whether the connection is alive.
func (l *link) wake() {
	switch c := l.conn; {
	case l.retry != nil:
		l.dial()
	case l.frozen:
		l.frozen = false
		l.report(dialWanted{})
	case c == nil || len(c.closeWaiters) > 0:
	case c.socket == nil:
		c.shortenDeadline()
	default:
		c.step(stream.Probe{})
	}
}
