package client

import (
	"slices"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
)

// A refreshing is a call of Refresh.
type refreshing struct {
	reply func(error)
	timer *timer
}

// endRefreshes ends all calls of Refresh.
func (o *owner) endRefreshes(err error) {
	waiting := o.refreshes
	o.refreshes = nil
	for _, r := range waiting {
		r.timer.stop()
		r.reply(err)
	}
}

// refresh asks for the list.
func (o *owner) refresh(full bool, reply func(error)) {
	if !o.conn.usable() {
		reply(&pam.Error{Code: pam.CodeOffline, Origin: pam.FromClient, Retryable: true,
			Text: "The client is not connected. Nothing was sent; connect first."})
		return
	}
	if len(o.state.Missing) > 0 {
		reply(&pam.Error{Code: pam.CodeUnsupported, Origin: pam.FromServer,
			Text: "The account's server does not offer Pubsub Account Management (urn:xmpp:pam:0)."})
		return
	}
	r := &refreshing{reply: reply}
	r.timer = o.after(2*requestTimeout, func() {
		o.refreshes = slices.DeleteFunc(o.refreshes, func(x *refreshing) bool { return x == r })
		reply(timeoutError())
	})
	o.refreshes = append(o.refreshes, r)
	o.step(listsync.Refresh{Full: full})
}
