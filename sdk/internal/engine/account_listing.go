package engine

import (
	"slices"
	"time"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
)

// sessionUp requests the list in a session that this run of the program starts, or
// resumes from an earlier run (sync rule 1). The stored record of a session is older
// than the session, so the list is always requested, and at once. A session of this
// run that is resumed continues with its pending requests.
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
	if l.refused { // The last list request failed and was to be repeated.
		a.step(listsync.Refresh{})
	}
	a.acknowledge()
}

// connectionDown handles the loss of the connection. It runs before sessionEnded, if
// the session ends.
func (a *account) connectionDown(lastReceived time.Time) {
	l := &a.listing
	if l.live && !l.missing && lastReceived.After(a.record.lastSynced) {
		a.setSynced(lastReceived) // The list was known to equal the server's until then.
		a.storage.saveRecord(a.record)
	}
	l.live, l.missing = false, false
	l.again.stop()
}

// sessionEnded handles the end of a session that cannot be resumed. The outcome of
// its pending requests is unknown; the next list shows it.
func (a *account) sessionEnded(stuck bool) {
	a.handled, a.covered = 0, 0
	a.listing = listing{}
	a.step(listsync.SessionEnded{})
	a.failOperations(stuck)
}

// discover queries whether the server supports PAM.
func (a *account) discover() {
	a.listing.support = supportUnknown
	a.session.discover(func(found support) {
		a.listing.support = found
		a.decideSupport()
	})
}

// requestList sends the list request of the machine.
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

// listingFailed handles the failure of both list requests, with and without a version.
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

// decideSupport decides why the server refused the list: it does not support PAM, or
// it fails temporarily.
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
		a.report(listRefused{l.err})
		l.again.stop()
		l.again = a.after(relistAfter, func() {
			if a.session.usable() {
				a.step(listsync.Refresh{})
			}
		})
	}
}

// enterLive enters pam.PhaseLive: the committed list equals the server's or, if
// missing is set, the server does not support PAM.
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
			a.announce(listsync.Changed{From: stamp.Version, To: stamp.Version, Resync: true, Adopted: true})
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
	a.report(accountLive{})
}
