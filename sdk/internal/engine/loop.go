package engine

import (
	"context"
	"time"
)

// A loop runs one work after another on the goroutine of its engine. All parts
// share it; other goroutines reach them through post alone.
type loop struct {
	inbox  chan func()
	ctx    context.Context // ends with the engine
	cancel context.CancelFunc
	done   chan struct{}   // the last work has ended
	timers map[*timer]bool // that run
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

// A timer calls a function once, on the loop.
type timer struct {
	loop  *loop
	inner *time.Timer
}

// after calls f once d has passed, unless the timer is stopped before f begins.
// That also holds for a call that already waits in the inbox when the timer is
// stopped.
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

// stop may be called at any time, also for no timer.
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

// A budget is a time that only runs now and then.
type budget struct {
	left  time.Duration
	since time.Time
	timer *timer
}

// run lets the time run; f is called when it is over.
func (b *budget) run(l *loop, f func()) {
	if b.timer == nil {
		b.since = time.Now()
		b.timer = l.after(b.left, f)
	}
}

func (b *budget) pause() {
	if b.timer != nil {
		b.timer.stop()
		b.timer = nil
		b.left -= time.Since(b.since)
	}
}

func (b *budget) stop() { b.timer.stop() }
