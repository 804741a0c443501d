package engine

import (
	"slices"
	"time"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
)

// sessionUp asks for the list in a session that this run of the program begins, or
// takes over from an earlier run (sync rule 1). What is stored of a session is
// older than the session, so the list is asked for at once and whatever was
// stored. One that this run resumes goes on with all that was under way.
func (a *account) sessionUp(m sessionUp) {
	a.record.mechanism = m.mechanism
	if m.resumed && !m.earlierRun {
		a.resumed()
		return
	}
	a.listing = listing{counted: m.resumed}
	if !m.resumed {
		a.discover()
	}
	a.step(listsync.SessionStarted{Full: a.record.sessions >= fullEverySessions || time.Since(a.record.lastFull) > fullEvery})
}

func (a *account) resumed() {
	l := &a.listing
	l.replay = a.settled()
	if a.machine.Phase() == listsync.Synced {
		if a.source != pam.SourceEmpty {
			a.source = pam.SourceServer
		}
		a.enterLive(false)
	}
	if l.refused { // The list that failed last was to be asked for again soon.
		a.step(listsync.Refresh{})
	}
	a.acknowledge()
}

// connectionDown runs when the connection is down, before the end of the session,
// if that ends.
func (a *account) connectionDown(heard time.Time) {
	l := &a.listing
	if l.live && !l.missing && heard.After(a.record.lastSynced) {
		a.setSynced(heard) // Until then the list was known to be right.
		a.storage.saveRecord(a.record)
	}
	l.live, l.missing = false, false
	l.again.stop()
}

// sessionEnded runs when the session is gone for good, or never was: what it had
// under way has an unknown outcome, and the next list tells.
func (a *account) sessionEnded(stuck bool) {
	a.handled, a.covered = 0, 0
	a.listing = listing{}
	a.step(listsync.SessionEnded{})
	a.failOperations(stuck)
}

// discover asks whether the server knows PAM.
func (a *account) discover() {
	a.listing.support = supportUnknown
	a.session.discover(func(found support) {
		a.listing.support = found
		a.decideSupport()
	})
}

// requestList carries out the machine's request.
func (a *account) requestList(r listsync.RequestList) {
	a.session.requestList(r.Version, func(result listsync.ListResult, err *pam.Error) {
		if err != nil {
			a.listing.err = err
			a.step(listsync.ListFailed{Round: r.Round})
			return
		}
		a.listing.listed, a.listing.refused = true, false
		if r.Version == "" && result.Full {
			a.record.sessions, a.record.lastFull = 0, time.Now()
		}
		a.source = pam.SourceServer
		result.Round = r.Round
		a.step(result)
	})
}

// listingFailed runs when the server gave no list, with or without a version.
func (a *account) listingFailed() {
	a.listing.refused = true
	a.endRefreshes(a.listing.err)
	for _, op := range slices.Clone(a.operations) {
		if op.replied {
			a.finish(op, nil, op.failure)
		}
	}
	a.decideSupport()
}

// decideSupport settles a session whose list was refused: either the server
// does not know PAM at all, or it is out of order for now.
func (a *account) decideSupport() {
	l := &a.listing
	if !a.session.usable() || !l.refused {
		return
	}
	switch {
	case l.support == supportUnasked:
		a.discover()
	case l.support == supportNo && !l.listed:
		a.enterLive(true)
	case l.support != supportUnknown:
		a.view.warn(l.err)
		a.tell(listRefused{l.err})
		l.again.stop()
		l.again = a.after(relistAfter, func() {
			if a.session.usable() {
				a.step(listsync.Refresh{})
			}
		})
	}
}

// enterLive begins pam.PhaseLive: the committed list is the server's, or there can
// be none because the server does not know PAM.
func (a *account) enterLive(missing bool) {
	if !a.session.usable() {
		return
	}
	l := &a.listing
	was := l.live
	l.missing = missing
	if !missing {
		a.setSynced(time.Now())
		if a.shown != a.source {
			_, stamp := a.machine.Committed()
			a.announce(listsync.Changed{From: stamp.Version, To: stamp.Version, Resync: true})
		}
	}
	if !l.counted {
		l.counted = true
		a.record.sessions++
	}
	l.live = true
	if !was {
		a.storage.saveRecord(a.record)
	}
	if missing {
		a.view.setLive([]string{"pam"})
	} else {
		a.view.setLive(nil)
	}
	a.tell(accountLive{})
}
