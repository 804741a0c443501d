package client

import (
	"strconv"
	"strings"
	"time"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/internal/ns"
)

// hintEvery bounds how often services can have the list asked for.
const hintEvery = 5 * time.Second

// A hintLimit keeps hints hintEvery apart.
type hintLimit struct {
	last  time.Time
	timer *timer // runs until a hint that came too soon is followed
}

// serviceEvent looks for news of a subscription that its service tells directly:
// an approval or a removal (XEP-0060 §8.8.4), or the end of its node (§8.4.2). The
// account's server may not know yet, or not tell. So the list is asked for, and
// decides; nothing is changed on the word of a service.
func (o *owner) serviceEvent(message *element.Element) {
	event := message.Child(ns.PubsubEvent, "event")
	if event == nil || message.Attr("type") == "error" {
		return
	}
	from, err := address.Parse(message.Attr("from"))
	if err != nil {
		return
	}
	service, account := from.String(), o.account.String()
	for e := range event.Elements() {
		removed, changed := e.Is(ns.PubsubEvent, "delete"), e.Is(ns.PubsubEvent, "subscription")
		if !removed && !changed || len(o.machine.At(service, e.Attr("node"))) == 0 {
			continue
		}
		if removed || address.Equal(e.Attr("jid"), account) {
			o.hint()
			return
		}
	}
}

// otherSession has the list asked for when the account has, or had, a session of
// higher priority than this one, whose priority is 0. A server that sends no
// versions may tell that session alone of changes (RFC 6121 §8.5.2.1.1), as
// Libervia does.
func (o *owner) otherSession(presence *element.Element) {
	s := o.session
	from, err := address.Parse(presence.Attr("from"))
	if err != nil || !from.Bare().Equal(o.account) || from.String() == s.fullJID || o.machine.Versioned() {
		return
	}
	switch presence.Attr("type") {
	case "":
		priority, _ := strconv.Atoi(strings.TrimSpace(presence.Child(ns.Client, "priority").Text()))
		s.outrank = s.outrank || priority > 0
	case "unavailable":
	default:
		return
	}
	if s.outrank {
		o.hint()
	}
}

// hint asks for the list, soon.
func (o *owner) hint() {
	h := &o.hints
	if h.timer != nil {
		return
	}
	wait := time.Until(h.last.Add(hintEvery))
	if wait <= 0 {
		h.last = time.Now()
		o.step(listsync.Refresh{})
		return
	}
	h.timer = o.after(wait, func() {
		h.timer = nil
		o.hint()
	})
}
