package engine

import (
	"slices"
	"time"

	"xmpp-pam/sdk/internal/listsync"
)

// hintEvery bounds how often others can have the list asked for.
const hintEvery = 5 * time.Second

// A hintLimit keeps hints hintEvery apart.
type hintLimit struct {
	last  time.Time
	timer *timer // runs until a hint that came too soon is followed
}

// takeServiceEvent takes what a service says of the account's subscriptions. The
// account's server may not know yet, or not tell. So the list is asked for, and
// decides; nothing is changed on the word of a service.
func (a *account) takeServiceEvent(m serviceEvent) {
	if slices.ContainsFunc(m.nodes, func(node string) bool { return len(a.machine.At(m.service, node)) > 0 }) {
		a.staleHint()
	}
}

// takeOutranked has the list asked for while the account has, or had, a session of
// higher priority than this one. A server that sends no versions may tell that
// session alone of changes (RFC 6121 §8.5.2.1.1), as Libervia does.
func (a *account) takeOutranked() {
	if !a.machine.Versioned() {
		a.staleHint()
	}
}

// takeCapsRequest has the list asked for when the server learns only now that this
// session speaks PAM: it may have told it nothing until then.
func (a *account) takeCapsRequest() {
	if a.listing.listed {
		a.step(listsync.Refresh{})
	}
}

// staleHint asks for the list, soon.
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
