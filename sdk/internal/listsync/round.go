package listsync

import (
	"slices"
	"time"

	"xmpp-pam/sdk/pam"
)

// Limits of rule 4.
const (
	maxNoisy  = 3                // noisy rounds before one without a version
	quietTime = 2 * time.Second  // dirty: a round follows when nothing was heard for so long,
	dirtyTime = 10 * time.Second // and at the latest after this
)

// A round is a list request and its result.
type round struct {
	id          int
	sent        pam.Version // empty: asked without
	from        int         // what was heard from here on was heard during the round
	baseChanged bool        // another tab's list was adopted meanwhile
}

// begin asks for the list with the version that the working list belongs to,
// or without.
func (m *Machine) begin() {
	full := m.fullWanted
	m.roundWanted, m.fullWanted, m.settled = false, false, false
	m.disarm()
	for _, h := range m.pendingLive {
		m.addOverlay(h) // the result brings it again
	}
	m.pendingLive = nil
	m.announcePhase()

	sent := m.stamp.Version
	if m.candidate != nil {
		sent = m.candidateVersion
	}
	if full {
		sent = ""
	}
	if sent == "" {
		m.candidate = nil
	}
	m.rounds++
	m.round = &round{id: m.rounds, sent: sent, from: len(m.heard)}
	m.out = append(m.out, RequestList{Round: m.rounds, Version: sent})
}

func (m *Machine) result(in ListResult) {
	r := m.round
	if r == nil || in.Round != r.id {
		return
	}
	m.round = nil
	if in.Full {
		m.fullResult(r, in)
	} else {
		m.emptyResult(r)
	}
}

// fullResult is rule 3. The list is consistent by itself: it is committed at
// once, and nothing that was heard is applied to it, because it may be in the
// list already, or undone in it.
func (m *Machine) fullResult(r *round, in ListResult) {
	noisy := r.baseChanged || len(m.heard) > r.from || m.lastVersion != "" && m.lastVersion != in.Version
	m.lastVersion, m.candidate = in.Version, nil
	if noisy {
		m.retryRound()
	} else {
		m.settled = true
	}
	list, dropped := m.listed(in.List, in.Version)
	m.store(&commit{changes: diff(m.base, list), whole: list, dropped: dropped, version: in.Version, keep: r.from, list: true})
}

// listed is the server's list as it is stored: without the rows that are left
// out, and with the subids that are known or were heard. Some servers tell a subid
// in a notify and not in a list. A row without is the one known row of that node,
// if the list has no version: then every run and every other tab asks for the whole
// list too, and knows that the subid is assumed.
func (m *Machine) listed(rows []pam.Subscription, version pam.Version) (list *List, dropped []pam.Subscription) {
	list = NewList(rows)
	m.assumed = nil
	if version != "" && len(m.dropped) == 0 {
		return list, nil
	}
	rows = slices.Clone(list.Rows())
	kept := rows[:0]
	for _, s := range rows {
		if s.SubID == "" && version == "" && list.only(s.Service, s.Node) != nil {
			if s.SubID = m.shown.onlySubID(s.Service, s.Node); s.SubID != "" {
				if m.assumed == nil {
					m.assumed = map[place]string{}
				}
				m.assumed[place{s.Service, s.Node}] = s.SubID
			}
		}
		if slices.ContainsFunc(m.dropped, func(d pam.Subscription) bool { return d.Key == s.Key }) {
			dropped = append(dropped, s)
		} else {
			kept = append(kept, s)
		}
	}
	return NewList(kept), dropped
}

// emptyResult is rule 4. Nothing tells a delta from live notifies, nor whether
// each notify bears the version of its own step, so a list and a version are
// only known to belong together when a round that asked with this version
// brought nothing more.
func (m *Machine) emptyResult(r *round) {
	heard := m.heard[r.from:]
	switch {
	case r.baseChanged:
		m.retryRound() // from the list that was adopted
		return
	case m.candidate == nil && r.sent != "":
		m.candidate = m.layer()
	case m.candidate == nil:
		m.candidate = newLayer(NewList(nil)) // asked without a version: the empty list
	}
	if len(heard) > 0 {
		for _, h := range heard {
			m.candidate.apply(h.Items)
		}
		m.candidateVersion = heard[len(heard)-1].Version
		m.retryRound()
		return
	}
	c := &commit{version: r.sent, dropped: m.candidate.dropped, keep: len(m.heard), list: true}
	if m.candidate.base == m.base {
		c.changes = m.candidate.changes()
	} else {
		c.whole, m.assumed = NewList(m.candidate.items()), nil
		c.changes = diff(m.base, c.whole)
	}
	m.settled, m.candidate = true, nil
	m.store(c)
}

// retryRound asks for another round after a noisy one, and gives up after too many:
// the machine is then dirty until a later round is quiet.
func (m *Machine) retryRound() {
	m.noisyRounds++
	if m.noisyRounds <= maxNoisy {
		m.roundWanted, m.fullWanted = true, m.fullWanted || m.noisyRounds == maxNoisy
		return
	}
	m.noisyRounds, m.candidate, m.dirty, m.timersSet = 0, nil, true, true
	m.out = append(m.out, SetTimer{TimerQuiet, m.now.Add(quietTime)}, SetTimer{TimerDirtyDeadline, m.now.Add(dirtyTime)})
}

// failed is rule 7.
func (m *Machine) failed(in ListFailed) {
	r := m.round
	if r == nil || in.Round != r.id {
		return
	}
	m.round, m.candidate = nil, nil
	if r.sent != "" {
		m.requestRound(true)
	} else if !m.roundWanted {
		m.out = append(m.out, ListingFailed{})
	}
}

func (m *Machine) disarm() {
	if m.timersSet {
		m.timersSet = false
		m.out = append(m.out, SetTimer{Timer: TimerQuiet}, SetTimer{Timer: TimerDirtyDeadline})
	}
}
