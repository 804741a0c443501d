package engine

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
)

// A view is what the program sees: the snapshot, the state and the events. The
// parts tell it what is new through its methods; it decides nothing.
type view struct {
	*loop
	onEvent func(pam.ClientEvent)
	next    pam.SyncState // what publish announces
	ignores ignoreLog

	mu       sync.Mutex // over the rest, which other goroutines read
	list     *listsync.List
	snapshot pam.Snapshot
	state    pam.SyncState
	ignored  uint64
}

func newView(l *loop, onEvent func(pam.ClientEvent)) *view {
	v := &view{loop: l, onEvent: onEvent, list: listsync.NewList(nil)}
	v.snapshot.Source = pam.SourceUnread
	v.state.Phase, v.next.Phase = pam.PhaseOffline, pam.PhaseOffline
	return v
}

func (v *view) emit(e pam.ClientEvent) {
	if v.onEvent != nil {
		v.onEvent(e)
	}
}

func (v *view) warn(err *pam.Error) { v.emit(pam.Warning{Err: shortened(err)}) }

// setPhase announces a phase other than pam.PhaseLive. Err is why it is
// pam.PhaseWaiting or pam.PhaseFailed.
func (v *view) setPhase(p pam.Phase, err *pam.Error) {
	v.next.Phase, v.next.Err, v.next.Missing = p, err, nil
	v.publish()
}

// setLive announces pam.PhaseLive, and what the server lacks.
func (v *view) setLive(missing []string) {
	v.next.Phase, v.next.Err, v.next.Missing = pam.PhaseLive, nil, missing
	v.publish()
}

func (v *view) setDegraded(err error) {
	v.next.Storage = pam.StorageState{Degraded: true, Err: err}
	v.publish()
}

// setPending announces how many requests of this device are under way.
func (v *view) setPending(n int) {
	v.next.Pending = n
	v.publish()
}

// The following is announced with whatever comes next.

func (v *view) setAttempt(n int)           { v.next.Attempt = n }
func (v *view) setNextAttempt(t time.Time) { v.next.NextAttempt = t }
func (v *view) setResumed(yes bool)        { v.next.Resumed = yes }
func (v *view) setSynced(t time.Time)      { v.next.LastSynced = t }

// publish announces the state if it differs.
func (v *view) publish() {
	v.mu.Lock()
	before := v.state
	v.state = v.next
	v.mu.Unlock()
	if !sameState(before, v.next) {
		v.emit(pam.StateChanged{State: v.next})
	}
}

func sameState(a, b pam.SyncState) bool {
	return a.Phase == b.Phase && slices.Equal(a.Missing, b.Missing) && a.Resumed == b.Resumed &&
		a.LastSynced.Equal(b.LastSynced) && a.Attempt == b.Attempt && a.NextAttempt.Equal(b.NextAttempt) &&
		a.Pending == b.Pending && a.Storage.Degraded == b.Storage.Degraded && a.Err == b.Err
}

// show replaces the committed list. The event about it is the caller's.
func (v *view) show(list *listsync.List, version pam.Version, source pam.Source) {
	v.mu.Lock()
	v.list, v.snapshot.Version, v.snapshot.Source = list, version, source
	v.mu.Unlock()
}

// showProvisional announces the layer over the list if it differs.
func (v *view) showProvisional(items []pam.Provisional) {
	v.mu.Lock()
	same := slices.Equal(v.snapshot.Provisional, items)
	v.snapshot.Provisional = items
	v.mu.Unlock()
	if !same {
		v.emit(pam.ProvisionalChanged{Items: items})
	}
}

// ignoredEvery is the least time between two warnings of ignored messages. Anybody
// may send such messages, as fast as the line can.
const ignoredEvery = time.Second

// An ignoreLog counts the messages that were ignored.
type ignoreLog struct {
	untold uint64     // since the last warning
	last   *pam.Error // the newest of these
	timer  *timer     // runs until the next warning may come
}

// ignore counts a message that was ignored, wholly or in part. It warns of the
// first at once, and of those that follow together.
func (v *view) ignore(err *pam.Error) {
	v.mu.Lock()
	v.ignored++
	v.mu.Unlock()
	v.ignores.untold++
	v.ignores.last = err
	if v.ignores.timer == nil {
		v.flushIgnored()
	}
}

func (v *view) flushIgnored() {
	g := &v.ignores
	g.timer = nil
	if g.untold == 0 {
		return
	}
	told := *shortened(g.last)
	if g.untold > 1 {
		told.Text += " (and " + strconv.FormatUint(g.untold-1, 10) + " more since the last warning)"
	}
	v.emit(pam.Warning{Err: &told, Ignored: g.untold})
	g.untold, g.last = 0, nil
	g.timer = v.after(ignoredEvery, v.flushIgnored)
}

// Snapshot returns the list as it was last announced. It may be called from any
// goroutine, as State and Ignored may.
func (v *view) Snapshot() pam.Snapshot {
	v.mu.Lock()
	list, s := v.list, v.snapshot
	v.mu.Unlock()
	s.List = list.Rows()
	return s
}

// State returns the state as it was last announced.
func (v *view) State() pam.SyncState {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.state
}

// Ignored counts the messages that were ignored, wholly or in part.
func (v *view) Ignored() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ignored
}
