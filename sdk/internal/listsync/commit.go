package listsync

import (
	"slices"

	"xmpp-pam/sdk/pam"
)

// A commit is what is to be stored, and what to do when it is.
type commit struct {
	seq     int
	changes []pam.Change
	whole   *List              // the whole list, if it replaces the stored one
	next    *List              // the list once it is stored
	dropped []pam.Subscription // all rows left out
	version pam.Version
	epoch   uint64
	list    bool // it ends a round
	keep    int  // what was heard before this is no longer shown
}

// commitLive is rule 5: one commit for all that was heard since the last one.
// The version is that of the last notify, so one without clears it.
func (m *Machine) commitLive() {
	work := m.layer()
	for _, h := range m.pendingLive {
		work.apply(h.Items)
	}
	version := m.pendingLive[len(m.pendingLive)-1].Version
	m.pendingLive = nil
	m.store(&commit{changes: work.changes(), dropped: work.dropped, version: version})
}

// commitDrop leaves rows out of the list, or puts them back. The version stays. It
// is not repeated after a conflict, because another tab may have heard more of
// those rows.
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
		Sort(c.dropped)
	}
	m.store(c)
}

func (d Drop) names(s pam.Subscription) bool {
	return s.Service == d.Key.Service && s.Node == d.Key.Node && (d.Key.SubID == "" || d.Key.SubID == s.SubID)
}

// takeBackDrops gives up what waits to be left out and what items are about: they
// are newer.
func (m *Machine) takeBackDrops(items []pam.Subscription) {
	m.drops = slices.DeleteFunc(m.drops, func(d Drop) bool { return slices.ContainsFunc(items, d.names) })
}

// store commits c, unless nothing would change: equal content never gets a new
// epoch (rule 6).
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
	m.announce(c.changes, from, c.list)
	m.commitDone(c)
}

// commitDone follows a commit that is stored, or that had nothing to store.
func (m *Machine) commitDone(c *commit) {
	if m.heard = m.heard[c.keep:]; len(m.heard) == 0 {
		m.heard = nil
	}
	m.rebuildOverlay()
	if m.settled {
		m.dirty, m.noisyRounds = false, 0
	}
}

// conflict is rule 6: another tab was first. If it stored the same, all is
// well; if not, its list is adopted and a list asked for.
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
	m.dropLive()
}

// reload is rule 6 again: a hint says that another tab has changed the store.
// A live session that has heard all that is in the adopted list goes on; any
// other lists again, because it may yet hear what is in it. A lower epoch is no
// older list: somebody may have emptied the store in between.
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
	m.announce(diff(old, m.base), from, true)
	m.rebuildOverlay()
}

// dropLive stops committing live notifies until a round was quiet. Those that
// wait for a commit were heard on top of another list than the adopted one.
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

func (m *Machine) announce(changes []pam.Change, from pam.Version, resync bool) {
	if len(changes) > 0 || from != m.stamp.Version {
		m.out = append(m.out, Changed{Changes: changes, From: from, To: m.stamp.Version, Resync: resync})
	}
}
