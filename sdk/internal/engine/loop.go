package engine

import (
	"context"
	"time"
)

// A loop runs one work item after another on the goroutine of its engine. All parts
// share it; other goroutines reach the parts only through post.
type loop struct {
	inbox  chan func()
	ctx    context.Context // ends with the engine
	cancel context.CancelFunc
	done   chan struct{}   // closed when the last work item has ended
	timers map[*timer]bool // the running timers
	now    time.Time       // when the current work began
}

func newLoop() *loop {
	l := &loop{inbox: make(chan func(), 64), done: make(chan struct{}), timers: map[*timer]bool{}}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// post queues work, and drops it if the engine is closed.
func (l *loop) post(work func()) {
	select {
	case l.inbox <- work:
	case <-l.ctx.Done():
	}
}

// readClock reads the clock. It is called for each work item, and once for the messages that
// arrived together: in a browser, reading the clock calls JavaScript twice.
func (l *loop) readClock() { l.now = time.Now() }

// A timer calls a function once, on the loop.
type timer struct {
	loop  *loop
	inner *time.Timer
}

// after calls f after d, unless the timer is stopped before f begins, even if the call
// is already queued in the inbox.
func (l *loop) after(d time.Duration, f func()) *timer {
	t := &timer{loop: l}
	l.timers[t] = true
	t.inner = time.AfterFunc(d, func() {
		l.post(func() {
			if l.timers[t] {
				t.stop()
				f()
			}
		})
	})
	return t
}

// stop stops the timer. It may be called at any time, also on a nil timer.
func (t *timer) stop() {
	if t != nil {
		t.inner.Stop()
		delete(t.loop.timers, t)
	}
}

func (l *loop) stopTimers() {
	for t := range l.timers {
		t.stop()
	}
}
