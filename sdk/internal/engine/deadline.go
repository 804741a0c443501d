package engine

import "time"

// The time limits of calls. Each call has one, which no reconnection renews.
const (
	// requestTimeout is the limit of a request. It pauses while the session waits to be
	// resumed.
	requestTimeout = 20 * time.Second

	// callTimeout is the limit of a subscribe, unsubscribe or refresh even if the
	// connection is lost: once for the answer, and once for the list, which shows the
	// outcome if there is no answer.
	callTimeout = 2 * requestTimeout

	// connectTimeout is the limit of Connect: of its first attempt, including redirects.
	connectTimeout = 2 * time.Minute

	// serviceAfter is how long the account's server may take to answer before the client
	// queries the service directly. A server that does not forward the errors of
	// services does not answer at all.
	serviceAfter = 5 * time.Second
)

// A deadline is a time limit that can be paused.
type deadline struct {
	left  time.Duration
	since time.Time
	timer *timer
}

// run starts or continues the timeout; f is called when it expires.
func (d *deadline) run(l *loop, f func()) {
	if d.timer == nil {
		d.since = time.Now()
		d.timer = l.after(d.left, f)
	}
}

func (d *deadline) pause() {
	if d.timer != nil {
		d.timer.stop()
		d.timer = nil
		d.left -= time.Since(d.since)
	}
}

func (d *deadline) stop() { d.timer.stop() }
