package client

import (
	"strconv"
	"time"

	"xmpp-pam/sdk/pam"
)

// ignoredEvery is the least time between two warnings of ignored messages. Anybody
// may send such messages, as fast as the line can.
const ignoredEvery = time.Second

// A ignoreLog counts the messages that were ignored.
type ignoreLog struct {
	untold uint64     // since the last warning
	last   *pam.Error // the newest of these
	timer  *timer     // runs until the next warning may come
}

// ignore counts a message that was ignored, wholly or in part. It warns of the
// first at once, and of those that follow together.
func (o *owner) ignore(err *pam.Error) {
	o.c.mu.Lock()
	o.c.ignored++
	o.c.mu.Unlock()
	o.ignores.untold++
	o.ignores.last = err
	if o.ignores.timer == nil {
		o.tellIgnored()
	}
}

func (o *owner) tellIgnored() {
	d := &o.ignores
	d.timer = nil
	if d.untold == 0 {
		return
	}
	told := *shortened(d.last)
	if d.untold > 1 {
		told.Text += " (and " + strconv.FormatUint(d.untold-1, 10) + " more since the last warning)"
	}
	o.emit(Warning{Err: &told, Ignored: d.untold})
	d.untold, d.last = 0, nil
	d.timer = o.after(ignoredEvery, o.tellIgnored)
}
