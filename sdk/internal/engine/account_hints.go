package engine

import (
	"slices"
	"time"

	"xmpp-pam/sdk/internal/listsync"
)

// hintEvery is the minimum time between two list requests caused by other entities.
const hintEvery = 5 * time.Second

// A hintLimit limits hints to one per hintEvery.
type hintLimit struct {
	last  time.Time
	timer *timer // runs until a deferred hint is acted on
}

// takeServiceEvent handles an event in which a service reports a change of the
// account's subscriptions. The account's server may not know of the change yet, or
// may not send a notify, so the account requests the list. The event itself does not
// change the list.
func (a *account) takeServiceEvent(m serviceEvent) {
	if slices.ContainsFunc(m.nodes, func(node string) bool { return len(a.machine.At(m.service, node)) > 0 }) {
		a.staleHint()
	}
}

// takeOutranked requests the list while the account has, or had, a session with a
// higher priority than this one. A server that sends no versions may send notifies
// to that session only (RFC 6121 §8.5.2.1.1), as Libervia does.
func (a *account) takeOutranked() {
	if !a.machine.Versioned() {
		a.staleHint()
	}
}

// takeCapsRequest requests the list when the server queries the capabilities of this
// session. The server may have sent no notifies before, because it did not know that
// the session supports PAM.
func (a *account) takeCapsRequest() {
	if a.listing.listed {
		a.step(listsync.Refresh{})
	}
}

// staleHint requests the list, at most once per hintEvery.
func (a *account) staleHint() {
	h := &a.hints
	if h.timer != nil {
		return
	}
	wait := time.Until(h.last.Add(hintEvery))
	if wait <= 0 {
		h.last = time.Now()
		a.step(listsync.Refresh{})
		return
	}
	h.timer = a.after(wait, func() {
		h.timer = nil
		a.staleHint()
	})
}
