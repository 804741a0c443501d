package listsync

import (
	"slices"

	"xmpp-pam/sdk/pam"
)

// A commit holds what to store, and what to do once it is stored.
type commit struct {
	seq     int
	changes []pam.Change
	whole   *List              // the whole list, if it replaces the stored one
	next    *List              // the list once it is stored
	dropped []pam.Subscription // all rows that are left out
	version pam.Version
	epoch   uint64
	list    bool // it ends a round
	keep    int  // number of notifies in buffer that are no longer shown once it is stored
}

// commitLive implements rule 5: one commit for all notifies received since the last one.
// The version is that of the last notify; a notify without a version clears it.
func (m *Machine) commitLive() {
	work := m.layer()
	for _, h := range m.pendingLive {
		work.apply(h.Items)
	}
	version := m.pendingLive[len(m.pendingLive)-1].Version
	m.pendingLive = nil
	m.store(&commit{changes: work.changes(), dropped: work.dropped, version: version})
}

// commitDrop leaves rows out of the list, or puts them back. The version does not
// change. After a conflict the Drop is not repeated, because another tab may have
// received newer notifies about those rows.
func (m *Machine) commitDrop() {
	d := m.drops[0]
	m.drops = m.drops[1:]
	c := &commit{dropped: m.dropped, version: m.stamp.Version}
	if d.Undo {
		c.dropped = nil
		for _, s := range m.dropped {
			if d.names(s) {
				c.changes = append(c.changes, pam.Change{After: &s})
			} else {
				c.dropped = append(c.dropped, s)
			}
		}
	} else {
		for _, s := range m.base.at(d.Key.Service, d.Key.Node) {
			if d.names(s) {
				c.changes = append(c.changes, pam.Change{Before: &s})
				c.dropped = append(slices.Clip(c.dropped), s)
			}
		}
		c.dropped = Sort(c.dropped)
	}
	m.store(c)
}

func (d Drop) names(s pam.Subscription) bool {
	return s.Service == d.Key.Service && s.Node == d.Key.Node && (d.Key.SubID == "" || d.Key.SubID == s.SubID)
}

// takeBackDrops discards the pending drops that concern items, because the items are
// newer.
func (m *Machine) takeBackDrops(items []pam.Subscription) {
	m.drops = slices.DeleteFunc(m.drops, func(d Drop) bool { return slices.ContainsFunc(items, d.names) })
}

// store commits c, unless nothing would change: equal content never gets a new epoch
// (rule 6).
func (m *Machine) store(c *commit) {
	if len(c.changes) == 0 && c.version == m.stamp.Version && slices.Equal(c.dropped, m.dropped) {
		m.commitDone(c)
		return
	}
	m.seq++
	c.seq, c.epoch = m.seq, m.stamp.Epoch+1
	m.commit = c
	if c.next = c.whole; c.next == nil {
		c.next = m.base.Apply(c.changes)
	}
	m.out = append(m.out, Commit{
		Seq:     c.seq,
		Expect:  m.stamp,
		Next:    Stamp{c.epoch, c.version},
		List:    c.next,
		Changes: c.changes,
		Dropped: c.dropped,
		Replace: c.whole != nil,
	})
}

func (m *Machine) committed(in Committed) {
	c := m.commit
	if c == nil || in.Seq != c.seq {
		return
	}
	m.commit = nil
	from := m.stamp.Version
	m.base, m.dropped, m.stamp = c.next, c.dropped, Stamp{c.epoch, c.version}
	m.out = append(m.out, Changed{Changes: c.changes, From: from, To: m.stamp.Version, Resync: c.list})
	m.commitDone(c)
}

// commitDone handles a commit that is stored, or that had nothing to store.
func (m *Machine) commitDone(c *commit) {
	if m.buffer = m.buffer[c.keep:]; len(m.buffer) == 0 {
		m.buffer = nil
	}
	m.rebuildOverlay()
	if m.settled {
		m.dirty, m.noisyRounds, m.delayed = false, 0, nil
	}
}

// conflict implements rule 6: another tab has committed first. If it has stored the
// same, the commit counts as stored; otherwise its list is adopted and the list is
// requested: without a version if the commit replaced the list, because the adopted
// list may be the wrong one that the replacement corrected.
func (m *Machine) conflict(in Conflict) {
	c := m.commit
	if c == nil || in.Seq != c.seq {
		return
	}
	m.commit = nil
	m.adoptStored(in.Durable)
	if in.Durable.Version == c.version && len(diff(c.next, m.base)) == 0 && slices.Equal(c.dropped, m.dropped) {
		m.commitDone(c)
		return
	}
	m.fullWanted = m.fullWanted || c.whole != nil
	m.dropLive()
}

// reload implements rule 6 for a hint that another tab has changed the store. If a live
// session has received everything in the adopted list, no request is needed; otherwise
// the list is requested, because notifies about it may still arrive. A lower epoch does
// not mean an older list, because another tab may have emptied the store.
func (m *Machine) reload(d Durable) {
	if d.Stamp == m.stamp {
		return
	}
	m.adoptStored(d)
	if d.Version != "" && d.Version == m.lastVersion {
		m.pendingLive = nil
		return
	}
	m.dropLive()
}

// adoptStored makes another tab's list the committed one.
func (m *Machine) adoptStored(d Durable) {
	from, old := m.stamp.Version, m.base
	m.base, m.dropped, m.stamp = d.list(), d.Dropped, d.Stamp
	m.candidate = nil
	if m.round != nil {
		m.round.baseChanged = true
	}
	if changes := diff(old, m.base); len(changes) > 0 || from != m.stamp.Version {
		m.out = append(m.out, Changed{Changes: changes, From: from, To: m.stamp.Version, Resync: true, Adopted: true})
	}
	m.rebuildOverlay()
}

// dropLive stops committing live notifies until a round is quiet. The pending ones
// apply to another list than the adopted one.
func (m *Machine) dropLive() {
	live, settled := m.pendingLive, m.settled
	m.pendingLive, m.settled = nil, false
	if !m.online {
		return
	}
	for _, h := range live {
		m.addOverlay(h)
	}
	if settled {
		m.retryRound()
	}
}
