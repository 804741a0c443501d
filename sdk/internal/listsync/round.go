package listsync

import (
	"slices"
	"time"

	"xmpp-pam/sdk/pam"
)

// Limits of rule 4.
const (
	maxNoisy  = 3                // noisy rounds before one without a version
	quietTime = 2 * time.Second  // dirty: a round follows when no notify was received for this time,
	dirtyTime = 10 * time.Second // and at the latest after this time
)

// A round is a list request and its result.
type round struct {
	id          int
	sent        pam.Version // empty: requested without a version
	from        int         // index in buffer of the first notify received during the round
	baseChanged bool        // another tab's list was adopted during the round
}

// begin requests the list, with the version that the working list belongs to or
// without one.
func (m *Machine) begin() {
	full := m.fullWanted
	m.roundWanted, m.fullWanted, m.settled = false, false, false
	m.disarm()
	for _, h := range m.pendingLive {
		m.addOverlay(h) // the result includes it
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
	m.round = &round{id: m.rounds, sent: sent, from: len(m.buffer)}
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

// fullResult implements rule 3. The list is consistent by itself and is committed at
// once. Notifies received during the round are not applied to it, because the list may
// already include or supersede them.
func (m *Machine) fullResult(r *round, in ListResult) {
	noisy := r.baseChanged || len(m.buffer) > r.from || m.lastVersion != "" && m.lastVersion != in.Version
	m.lastVersion, m.candidate = in.Version, nil
	if noisy {
		m.retryRound()
	} else {
		m.settled = true
	}
	list, dropped := m.listed(in.List, in.Version)
	m.store(&commit{changes: diff(m.base, list), whole: list, dropped: dropped, version: in.Version, keep: r.from, list: true})
}

// listed returns the server's list in the form in which it is stored: without the rows
// that are left out, and with the subids that are known from the stored list or from
// notifies. Some servers send a subid in a notify and not in a list. If the list has no
// version, a row without a subid matches the only known row of that node. Every other
// run and tab then requests the full list too, and treats the subid as assumed.
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

// emptyResult implements rule 4. A delta cannot be distinguished from live notifies, and
// a notify may have a version other than that of its own step. A list and a version are
// therefore known to belong together only after a round with this version in which no
// notify was received.
func (m *Machine) emptyResult(r *round) {
	received := m.buffer[r.from:]
	switch {
	case r.baseChanged:
		m.retryRound() // based on the adopted list
		return
	case m.candidate == nil && r.sent != "":
		m.candidate = m.layer()
	case m.candidate == nil:
		m.candidate = newLayer(NewList(nil)) // requested without a version: the empty list
	}
	if len(received) > 0 {
		for _, h := range received {
			m.candidate.apply(h.Items)
		}
		m.candidateVersion = received[len(received)-1].Version
		m.retryRound()
		return
	}
	c := &commit{version: r.sent, dropped: m.candidate.dropped, keep: len(m.buffer), list: true}
	if m.candidate.base == m.base {
		c.changes = m.candidate.changes()
	} else {
		c.whole, m.assumed = NewList(m.candidate.items()), nil
		c.changes = diff(m.base, c.whole)
	}
	m.settled, m.candidate = true, nil
	m.store(c)
}

// retryRound requests another round after a noisy one. After too many noisy rounds the
// machine becomes dirty until a later round is quiet.
func (m *Machine) retryRound() {
	m.noisyRounds++
	if m.noisyRounds <= maxNoisy {
		m.roundWanted, m.fullWanted = true, m.fullWanted || m.noisyRounds == maxNoisy
		return
	}
	m.noisyRounds, m.candidate, m.dirty, m.timersSet = 0, nil, true, true
	m.out = append(m.out, SetTimer{TimerQuiet, m.now.Add(quietTime)}, SetTimer{TimerDirtyDeadline, m.now.Add(dirtyTime)})
}

// failed implements rule 7.
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
