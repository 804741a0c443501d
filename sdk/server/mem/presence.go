package mem

import (
	"slices"
	"strconv"
	"strings"

	"mellium.im/xmpp/jid"
)

// presence handles presence without to, which makes a session available or
// unavailable. Presence to another account's full JID is delivered; the rest (probes,
// subscriptions, presence to services) is ignored: there are no rosters.
func (c *session) presence(st *elem, to jid.JID) {
	if st.get("to") != "" {
		if other := c.srv.session(to); other != nil {
			other.send(st)
		}
		return
	}
	switch st.get("type") {
	case "unavailable":
		c.available, c.interest = false, nil
	case "":
		priority := 0
		if p := st.child(nsClient, "priority"); p != nil {
			n, err := strconv.ParseInt(strings.TrimSpace(p.text()), 10, 8)
			if err != nil {
				c.sendError(st, badRequest())
				return
			}
			priority = int(n)
		}
		if c.account.outrank > 0 && !c.available {
			c.send(c.account.outranking(c.name))
		}
		first := !c.available
		c.available, c.priority, c.show = true, priority, "online"
		if show := st.child(nsClient, "show"); show != nil {
			c.show = show.text()
		}
		if first && priority >= 0 {
			c.sendOffline()
		}
		if first && c.account.like.Ejabberd {
			c.sendLastOfAll()
		}
		c.readCaps(st.child(nsCaps, "c"))
	}
}

// ordered returns the account's sessions ordered by resource, so that runs are
// deterministic.
func (a *account) ordered() []*session {
	out := make([]*session, 0, len(a.sessions))
	for _, c := range a.sessions {
		out = append(out, c)
	}
	slices.SortFunc(out, func(x, y *session) int { return strings.Compare(x.resource, y.resource) })
	return out
}
