package inbox

import (
	"slices"

	"xmpp-pam/sdk/pam"
)

const maxIntervals = 16 // of LiveElsewhere

// judge returns whether e was seen. What a marker has reached once stays so: the place of
// the marker's item may change when better times are known, or if only this device's clock
// tells them.
func (n *node) judge(e *event) pam.Seen {
	covered, certain := n.open.covers(e)
	switch {
	case e.seenAt != 0:
		return pam.Seen{State: pam.SeenHere, Basis: pam.BasisThisDevice, At: moment(e.seenAt)}
	case e.synced, n.remote.reaches(e), covered:
		return pam.Seen{State: pam.LikelySeenElsewhere, Basis: pam.BasisDisplayedSync}
	case e.elsewhere:
		return pam.Seen{State: pam.LikelySeenElsewhere, Basis: pam.BasisLiveElsewhere}
	case !certain:
		return pam.Seen{State: pam.SeenUnknown, Basis: pam.BasisNone}
	}
	return pam.Seen{State: pam.Unseen, Basis: pam.BasisNone}
}

// judgeAll computes whether the events of n were seen.
func (m *Machine) judgeAll(n *node) {
	m.settleMarkers(n)
	for _, e := range n.events {
		if seen := n.judge(e); seen != e.seen {
			if e.seen.State != "" {
				m.pageTable.touch(&e.page)
				m.updated = append(m.updated, e)
			}
			e.seen = seen
		}
		if e.seen.Basis == pam.BasisDisplayedSync && !e.synced {
			e.synced = true
			m.eventTable.touch(e)
		}
	}
}

// markSeen handles MarkSeen.
func (m *Machine) markSeen(in MarkSeen, now int64) {
	for _, text := range in.IDs {
		if id, ok := parseID(text); ok {
			m.markEvent(m.ids[id], now)
		}
	}
	id, _ := parseID(in.UpTo)
	last := m.ids[id]
	if last == nil {
		return
	}
	for _, e := range last.node.events {
		if e.place().compare(last.place()) <= 0 {
			m.markEvent(e, now)
		}
	}
}

func (m *Machine) markEvent(e *event, now int64) {
	if e != nil && e.seenAt == 0 && !e.fresh {
		e.seenAt = now
		m.update(e)
	}
}

// An interval is a time in which another device was connected.
type interval struct{ from, to int64 }

func (m *Machine) wasElsewhere(e *event) bool {
	for _, i := range m.elsewhere {
		if e.timed() && e.at >= i.from && e.at <= i.to {
			return true
		}
	}
	return false
}

// liveElsewhere handles LiveElsewhere. Intervals that overlap are one.
func (m *Machine) liveElsewhere(in LiveElsewhere) {
	i := interval{millis(in.From), millis(in.To)}
	if i.from > i.to {
		return
	}
	m.elsewhere = slices.DeleteFunc(m.elsewhere, func(known interval) bool {
		overlaps := known.from <= i.to && i.from <= known.to
		if overlaps {
			i.from, i.to = min(i.from, known.from), max(i.to, known.to)
		}
		return overlaps
	})
	m.elsewhere = append(m.elsewhere, i)
	if len(m.elsewhere) > maxIntervals {
		m.elsewhere = m.elsewhere[1:]
	}
	for _, e := range m.events {
		if e.delivery != live && !e.elsewhere && m.wasElsewhere(e) {
			e.elsewhere = true
			m.update(e)
		}
	}
}
