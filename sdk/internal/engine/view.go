package engine

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
)

// A view holds what the program sees: the snapshot, the state and the events. The
// parts update it through its methods; it makes no decisions.
type view struct {
	*loop
	onEvent func(pam.ClientEvent)
	next    pam.SyncState // the state that publish announces
	ignores ignoreLog

	mu       sync.Mutex // guards the following fields, which other goroutines read
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

// setPhase announces a phase other than pam.PhaseLive. err is the reason for
// pam.PhaseWaiting or pam.PhaseFailed.
func (v *view) setPhase(p pam.Phase, err *pam.Error) {
	v.next.Phase, v.next.Err, v.next.Missing = p, err, nil
	v.publish()
}

// setLive announces pam.PhaseLive and the features that the server does not support.
func (v *view) setLive(missing []string) {
	v.next.Phase, v.next.Err, v.next.Missing = pam.PhaseLive, nil, missing
	v.publish()
}

func (v *view) setDegraded(err error) {
	v.next.Storage = pam.StorageState{Degraded: true, Err: err}
	v.publish()
}

// setPending announces the number of pending requests of this device.
func (v *view) setPending(n int) {
	v.next.Pending = n
	v.publish()
}

// The following changes are announced by the next publish.

func (v *view) setAttempt(n int)           { v.next.Attempt = n }
func (v *view) setNextAttempt(t time.Time) { v.next.NextAttempt = t }
func (v *view) setResumed(yes bool)        { v.next.Resumed = yes }
func (v *view) setSynced(t time.Time)      { v.next.LastSynced = t }

// publish announces the state if it has changed.
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

// show replaces the committed list. The caller emits the event.
func (v *view) show(list *listsync.List, version pam.Version, source pam.Source) {
	v.mu.Lock()
	v.list, v.snapshot.Version, v.snapshot.Source = list, version, source
	v.mu.Unlock()
}

// setInterests replaces the interests of the snapshot.
func (v *view) setInterests(interests []pam.Interest) {
	v.mu.Lock()
	v.snapshot.Interests = interests
	v.mu.Unlock()
}

// showProvisional announces the provisional layer if it has changed.
func (v *view) showProvisional(items []pam.Provisional) {
	v.mu.Lock()
	same := slices.Equal(v.snapshot.Provisional, items)
	v.snapshot.Provisional = items
	v.mu.Unlock()
	if !same {
		v.emit(pam.ProvisionalChanged{Items: items})
	}
}

// ignoredEvery is the minimum time between two warnings about ignored messages. Any
// entity may send such messages, at any rate.
const ignoredEvery = time.Second

// An ignoreLog counts the messages that were ignored.
type ignoreLog struct {
	unreported uint64     // messages since the last warning
	last       *pam.Error // the error of the newest of them
	timer      *timer     // runs until the next warning is allowed
}

// ignore counts a message that was ignored, wholly or in part. It emits a warning about
// the first one at once, and one warning about those that follow.
func (v *view) ignore(err *pam.Error) {
	v.mu.Lock()
	v.ignored++
	v.mu.Unlock()
	v.ignores.unreported++
	v.ignores.last = err
	if v.ignores.timer == nil {
		v.flushIgnored()
	}
}

func (v *view) flushIgnored() {
	g := &v.ignores
	g.timer = nil
	if g.unreported == 0 {
		return
	}
	warning := *shortened(g.last)
	if g.unreported > 1 {
		warning.Text += " (and " + strconv.FormatUint(g.unreported-1, 10) + " more since the last warning)"
	}
	v.emit(pam.Warning{Err: &warning, Ignored: g.unreported})
	g.unreported, g.last = 0, nil
	g.timer = v.after(ignoredEvery, v.flushIgnored)
}

// Snapshot returns the list as of the last event. Like State and Ignored, it may be
// called from any goroutine.
func (v *view) Snapshot() pam.Snapshot {
	v.mu.Lock()
	list, s := v.list, v.snapshot
	v.mu.Unlock()
	s.List = list.Rows()
	return s
}

// State returns the state announced last.
func (v *view) State() pam.SyncState {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.state
}

// Ignored returns the number of messages that were ignored, wholly or in part.
func (v *view) Ignored() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ignored
}
