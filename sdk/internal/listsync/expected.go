package listsync

import (
	"slices"

	"xmpp-pam/sdk/pam"
)

// maxDelayed is the maximum number of delayed notifies that are kept.
const maxDelayed = 1000

// Follows reports whether the committed list contains a subscription of the node, or
// probably will once what was received is committed: the first events of a node arrive
// right after the notify of its subscription.
func (m *Machine) Follows(service, node string) bool {
	if len(m.base.at(service, node)) > 0 || m.commit != nil && len(m.commit.next.at(service, node)) > 0 {
		return true
	}
	subscribes := func(s pam.Subscription) bool {
		return s.Service == service && s.Node == node && s.State != pam.StateNone
	}
	for _, notifies := range [][]Notify{m.delayed, m.buffer, m.pendingLive} {
		if slices.ContainsFunc(notifies, func(h Notify) bool { return slices.ContainsFunc(h.Items, subscribes) }) {
			return true
		}
	}
	return false
}

// keepDelayed keeps a delayed notify for Follows, until the list includes it.
func (m *Machine) keepDelayed(h Notify) {
	if len(m.delayed) < maxDelayed {
		m.delayed = append(m.delayed, h)
	}
}
