package engine

import (
	"sort"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
)

// An overlay holds the entries that the machine shows instead of committed ones.
type overlay struct {
	notifies map[pam.Key]pam.Subscription
	dirty    bool // the provisional layer may differ from the announced one
}

func (o *overlay) add(out listsync.Overlay) {
	if out.Reset {
		clear(o.notifies)
	}
	for _, s := range out.Items {
		o.notifies[s.Key] = s
	}
	o.dirty = true
}

func (o *overlay) clear() {
	clear(o.notifies)
	o.dirty = true
}

// showProvisional announces the provisional layer: the overlay and, with precedence
// over it, the pending operations.
func (a *account) showProvisional() {
	if !a.overlay.dirty {
		return
	}
	a.overlay.dirty = false
	byKey := map[pam.Key]pam.Provisional{}
	for _, s := range a.overlay.notifies {
		byKey[s.Key] = pam.Provisional{Subscription: s}
	}
	for _, op := range a.operations {
		p := pam.Provisional{Subscription: pam.Subscription{Key: op.key, JID: a.cfg.Account.String()}, Local: "unsubscribing"}
		if found, ok := a.find(op.key); ok {
			p.Subscription = found
		}
		if op.subscribe {
			p.Local = "subscribing"
			if p.State == "" {
				p.State = pam.StatePending
			}
		} else if p.State == "" {
			continue
		}
		byKey[p.Key] = p
	}
	items := make([]pam.Provisional, 0, len(byKey))
	for _, p := range byKey {
		items = append(items, p)
	}
	sort.Slice(items, func(i, j int) bool { return items[i].Key.Compare(items[j].Key) < 0 })
	a.view.showProvisional(items)
}
