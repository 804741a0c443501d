package engine

// report queues a message of a part.
func (e *Engine) report(m message) { e.queue = append(e.queue, m) }

// routeAll handles the queued messages until the queue is empty.
func (e *Engine) routeAll() {
	for i := 0; i < len(e.queue); i++ {
		e.route(e.queue[i])
	}
	clear(e.queue)
	e.queue = e.queue[:0]
}

func (e *Engine) route(m message) {
	switch m := m.(type) {
	case stanzaReceived:
		e.session.receive(m)
	case stanzaHandled:
		e.account.takeStanza(m)
		e.seen.takeStanza(m)
		e.events.takeStanza(m)
	case reply:
		m()
	case streamStepped, sessionRecordDue:
		e.saveSession()
	case sessionUp:
		e.sessionUp(m)
	case connectionDown:
		e.connectionDown(m)
	case dialWanted:
		e.storage.whenReady(e.link.dialIfWanted)
	case messageTooLarge:
		e.link.endOversized(m.err, e.account.busy())
	case capsRequested:
		e.account.takeCapsRequest()
	case serviceEvent:
		e.account.takeServiceEvent(m)
	case outranked:
		e.account.takeOutranked()
	case accountLive:
		e.link.markLive()
		e.events.live()
		e.seen.listed()
		e.shareSeen()
	case listCommitted:
		e.events.listChanged(m)
		e.shareSeen()
	case devicePresence:
		e.seen.takeDevice(m)
	case liveElsewhere:
		e.events.liveElsewhere(m)
	case markersChanged:
		e.events.markersChanged(m)
	case markersRead:
		e.events.markersRead()
	case markerPublished:
		e.events.markerPublished(m)
	case inboxLoaded:
		e.events.loaded(m)
	case listRefused:
		e.link.answerConnect(m.err)
	case storeLoaded:
		e.storeLoaded(m)
	case storeReloaded:
		e.account.reloaded(m)
	case storeFailed:
		e.storage.useMemory(m.err, e.account.committed())
		e.events.storeReplaced()
	case commitDone:
		e.account.storedCommit(m)
	case commitConflict:
		e.account.refusedCommit(m)
	case sessionRecordWritten:
		e.sessionRecordWritten(m)
	case jobDone:
		e.storage.startNext()
	}
}

func (e *Engine) sessionUp(m sessionUp) {
	if !m.resumed { // The pending requests of an earlier session are lost.
		e.endSession(false)
		e.storage.forgetStaleRecord()
	}
	e.session.up(m)
	e.account.sessionUp(m)
	e.seen.sessionUp()
	e.events.sessionUp(m)
}

// shareSeen begins to share what was seen if there is something to share it of.
func (e *Engine) shareSeen() {
	if !e.account.empty() {
		e.seen.start()
	}
}

func (e *Engine) connectionDown(m connectionDown) {
	e.account.connectionDown(m.lastReceived)
	e.seen.connectionDown(m)
	e.events.connectionDown()
	switch {
	case m.session == sessionEnds:
		e.endSession(m.stuck)
		e.urgeSession()
	case m.bound:
		e.session.suspend()
	}
	e.link.proceed(m)
}

func (e *Engine) endSession(stuck bool) {
	e.session.end()
	e.account.sessionEnded(stuck)
	e.seen.sessionEnded()
	e.events.sessionEnded()
}

func (e *Engine) storeLoaded(m storeLoaded) {
	if m.session != nil {
		e.session.restore(m.session)
		e.events.restore(m.session)
		e.link.offer(&m.session.stream)
	}
	e.link.restore(m.record.mechanism)
	e.account.loaded(m)
	e.storage.loadInbox()
	e.storage.markLoaded()
}

// saveSession stores the session if that is due.
func (e *Engine) saveSession() {
	if e.storage.sessionDue() {
		r := e.session.record()
		if r != nil {
			r.inbox = e.events.machine.Session()
		}
		e.storage.writeSession(r)
	}
}

// urgeSession stores the session now, because the program may be terminated soon, or
// because the session has ended.
func (e *Engine) urgeSession() {
	e.storage.urgeSession()
	e.saveSession()
}

func (e *Engine) sessionRecordWritten(m sessionRecordWritten) {
	if m.resumption != nil {
		e.link.saved(m.resumption.H)
	}
	if m.urgent {
		e.link.sleep()
	}
}
