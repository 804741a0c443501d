package client

import "time"

// A timer calls a function once, on the owner's goroutine.
type timer struct {
	o     *owner
	inner *time.Timer
}

// after calls f once d has passed, unless the timer is stopped before f begins.
// That also holds for a call that already waits for the owner's goroutine when
// the timer is stopped.
func (o *owner) after(d time.Duration, f func()) *timer {
	t := &timer{o: o}
	o.running[t] = true
	t.inner = time.AfterFunc(d, func() {
		o.c.post(func() {
			if o.running[t] {
				t.stop()
				f()
			}
		})
	})
	return t
}

// stop may be called at any time, also for no timer.
func (t *timer) stop() {
	if t != nil {
		t.inner.Stop()
		delete(t.o.running, t)
	}
}
