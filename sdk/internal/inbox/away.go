package inbox

import (
	"slices"

	"xmpp-pam/sdk/pam"
)

// maxChanges is the maximum number of subscriptions in Away. If more have changed, the
// others are not listed.
const maxChanges = 2000

// away is what has happened since the user looked at the page.
type away struct {
	since   int64 // 0 until the user has looked once
	events  int
	changes map[pam.Key]pam.Change
	changed bool // since it was stored

	unannounced bool
}

// listChanged merges changes of the list: of several changes of a subscription, the
// first Before and the last After count.
func (m *Machine) listChanged(in ListChanged) {
	a := &m.away
	if in.Initial || a.since == 0 {
		return
	}
	for _, c := range in.Changes {
		if c.Before == nil && c.After == nil {
			continue
		}
		key := keyOf(c)
		known, merged := a.changes[key]
		switch {
		case merged:
			c.Before = known.Before
		case len(a.changes) >= maxChanges:
			continue
		}
		if a.changes == nil {
			a.changes = map[pam.Key]pam.Change{}
		}
		a.changes[key] = c
		if c.Before == nil && c.After == nil || c.Before != nil && c.After != nil && *c.Before == *c.After {
			delete(a.changes, key)
		}
		a.changed, a.unannounced, m.dirty = true, true, true
	}
}

func keyOf(c pam.Change) pam.Key {
	if c.After != nil {
		return c.After.Key
	}
	return c.Before.Key
}

// looked handles Looked.
func (m *Machine) looked(now int64) {
	m.away = away{since: now, changed: true, unannounced: true}
	m.dirty = true
}

// Away returns what has happened since the user looked at the page, or nil if the user
// never has.
func (m *Machine) Away() *pam.Away {
	if m.away.since == 0 {
		return nil
	}
	return &pam.Away{Since: moment(m.away.since), Events: m.shown.away, Changes: m.away.sorted()}
}

func (a *away) sorted() (list []pam.Change) {
	for _, c := range a.changes {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b pam.Change) int { return keyOf(a).Compare(keyOf(b)) })
	return list
}
