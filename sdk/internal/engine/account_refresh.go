package engine

import (
	"slices"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
)

// A refreshing is a pending call of Refresh.
type refreshing struct {
	reply func(error)
	timer *timer
}

// endRefreshes ends all pending calls of Refresh.
func (a *account) endRefreshes(err error) {
	waiting := a.refreshes
	a.refreshes = nil
	for _, r := range waiting {
		r.timer.stop()
		r.reply(err)
	}
}

// refresh requests the list, without a version if full is set.
func (a *account) refresh(full bool, reply func(error)) {
	if !a.session.usable() {
		reply(offlineError())
		return
	}
	if a.listing.missing {
		reply(&pam.Error{Code: pam.CodeUnsupported, Origin: pam.FromServer,
			Text: "The account's server does not offer Pubsub Account Management (urn:xmpp:pam:0)."})
		return
	}
	r := &refreshing{reply: reply}
	r.timer = a.after(callTimeout, func() {
		a.refreshes = slices.DeleteFunc(a.refreshes, func(x *refreshing) bool { return x == r })
		reply(timeoutError())
	})
	a.refreshes = append(a.refreshes, r)
	a.step(listsync.Refresh{Full: full})
}
