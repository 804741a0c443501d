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

// A budget is a time that only runs now and then.
type budget struct {
	left  time.Duration
	since time.Time
	timer *timer
}

// run lets the time run; f is called when it is over.
func (b *budget) run(o *owner, f func()) {
	if b.timer == nil {
		b.since = time.Now()
		b.timer = o.after(b.left, f)
	}
}

func (b *budget) pause() {
	if b.timer != nil {
		b.timer.stop()
		b.timer = nil
		b.left -= time.Since(b.since)
	}
}

// stop may be called at any time, also for no timer.
func (t *timer) stop() {
	if t != nil {
		t.inner.Stop()
		delete(t.o.running, t)
	}
}
