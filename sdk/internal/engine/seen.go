package engine

import (
	"time"

	"xmpp-pam/sdk/internal/disco"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/privatepep"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

// maxDevices is the maximum number of other sessions of the account that are remembered.
const maxDevices = 32

// A seen part shares with the other devices of the account up to which event of each node
// all were seen, with the machine of package privatepep, and observes when other devices
// are connected. The inbox decides what a marker means.
type seen struct {
	*loop
	cfg     *Config
	view    *view
	session *session
	report  func(message)

	live    bool // the list equals the server's
	started bool // the account was asked, in this session, what it supports
	machine *privatepep.Machine
	timer   *timer
	scope   pam.SeenScope
	warned  bool                  // that marks are not shared
	pending map[string]pam.Marker // being published, by key

	// The machine of each session numbers its revisions from 1; those that are reported
	// increase in all sessions. base is the last one of earlier sessions.
	base, revision uint64

	devices map[string]time.Time // connected sessions of other devices, and since when
	until   time.Time            // when the last message came on the last connection of the session
}

func newSeen(l *loop, cfg *Config, v *view, s *session, report func(message)) *seen {
	return &seen{loop: l, cfg: cfg, view: v, session: s, report: report, scope: pam.ScopeUnknown,
		pending: map[string]pam.Marker{}, devices: map[string]time.Time{}}
}

// sessionUp handles a new session, of which nothing is known yet, or a resumed one.
func (s *seen) sessionUp() { s.step(privatepep.Resumed{}) }

// connectionDown handles the loss of the connection, or the failure of an attempt to connect,
// from which nothing follows for other devices.
func (s *seen) connectionDown(m connectionDown) {
	s.step(privatepep.Lost{})
	if m.bound {
		s.until = m.lastReceived
	}
}

// sessionEnded handles the end of a session that cannot be resumed.
func (s *seen) sessionEnded() {
	s.end()
	for _, since := range s.devices {
		s.report(liveElsewhere{since, s.until})
	}
	clear(s.devices)
}

// end forgets what belongs to a session. The markers are read again in the next one, and
// the inbox then publishes what the server lacks.
func (s *seen) end() {
	s.timer.stop()
	s.live, s.started, s.machine, s.base = false, false, nil, s.revision
	clear(s.pending)
}

// listed reports that the list equals the server's. Markers are read only then, and not
// before the account follows a node.
func (s *seen) listed() { s.live = true }

// start begins to share markers, once in a session.
func (s *seen) start() {
	if !s.live || s.started || !s.session.usable() {
		return
	}
	s.started = true
	s.session.info(s.cfg.Account.String(), func(info *disco.Info, err *pam.Error) {
		switch {
		case err != nil && err.Code != pam.CodeStanza: // The next session asks again.
			return
		case err != nil:
			info = &disco.Info{}
		}
		in := privatepep.SessionStarted{Account: s.cfg.Account.String(), PublishOptions: info.Has(ns.Pubsub + "#publish-options")}
		for _, i := range info.Identities {
			in.PEP = in.PEP || i.Category == "pubsub" && i.Type == "pep"
		}
		s.machine = privatepep.NewMachine(privatepep.Config{Base: ns.Seen, Rank: markerRank})
		s.step(in)
	})
}

// publish publishes a marker and reports the outcome with markerPublished, unless the
// session ends or the server cannot keep markers. merged is the last revision of
// markersChanged that the marker takes into account.
func (s *seen) publish(k pam.Marker, merged uint64) {
	key := markerKey(k.Service, k.Node)
	s.pending[key] = k
	s.step(privatepep.Put{Key: key, Payload: encodeMarker(k), Merged: max(merged, s.base) - s.base})
}

// takeStanza handles the notifications of the private nodes in a stanza.
func (s *seen) takeStanza(m stanzaHandled) {
	for _, n := range m.private {
		s.step(n)
	}
}

// takeDevice handles presence of another session of the account.
func (s *seen) takeDevice(m devicePresence) {
	since, known := s.devices[m.name]
	switch {
	case m.since.IsZero() && known:
		delete(s.devices, m.name)
		s.report(liveElsewhere{since, s.now})
	case m.since.IsZero(), !known && len(s.devices) == maxDevices:
	case !known || m.since.Before(since):
		s.devices[m.name] = m.since
		s.report(liveElsewhere{m.since, s.now})
	}
}

// step passes an input to the machine, if there is one, and carries out its outputs.
func (s *seen) step(in privatepep.Input) {
	if s.machine == nil {
		return
	}
	for _, out := range s.machine.Step(time.Now(), in) {
		s.perform(out)
	}
}

func (s *seen) perform(out privatepep.Output) {
	switch out := out.(type) {
	case privatepep.Request:
		s.request(out)
	case privatepep.Changed:
		s.revision = s.base + out.Revision
		changed := markersChanged{revision: s.revision}
		for _, it := range out.Items {
			if k, ok := decodeMarker(it.Key, it.Payload); ok {
				changed.markers = append(changed.markers, k)
			}
		}
		s.report(changed)
	case privatepep.Stored:
		s.settle(out.Key, false)
	case privatepep.Dropped:
		s.settle(out.Key, true)
	case privatepep.Ready:
		s.setScope(pam.ScopeAccount)
		s.report(markersRead{})
	case privatepep.Unsupported:
		s.unsupported(out)
	case privatepep.SetTimer:
		s.timer.stop()
		if !out.At.IsZero() {
			s.timer = s.after(time.Until(out.At), func() { s.step(privatepep.TimerFired{}) })
		}
	}
}

func (s *seen) request(r privatepep.Request) {
	kind := "get"
	if r.Set {
		kind = "set"
	}
	s.session.ask(kind, r.To, r.Payload, func(iq *element.Element, err *pam.Error) {
		switch {
		case err == nil:
			s.step(privatepep.Result{ID: r.ID, IQ: iq})
		case err.Code == pam.CodeStanza:
			s.step(privatepep.Failed{ID: r.ID, Err: &pubsub.Error{Type: err.Type, Condition: err.Condition, PubsubCondition: err.PubsubCondition}})
		default:
			s.step(privatepep.Failed{ID: r.ID})
		}
	})
}

// settle reports the outcome of publish.
func (s *seen) settle(key string, failed bool) {
	if k, ok := s.pending[key]; ok {
		delete(s.pending, key)
		s.report(markerPublished{k, failed})
	}
}

func (s *seen) setScope(scope pam.SeenScope) {
	if s.scope != scope {
		s.scope = scope
		s.view.emit(pam.SeenScopeChanged{Scope: scope})
	}
}

// unsupported handles that the server cannot keep anything private. What is being
// published remains so until the session ends, so that the inbox publishes nothing more.
func (s *seen) unsupported(out privatepep.Unsupported) {
	s.setScope(pam.ScopeDevice)
	if s.warned {
		return
	}
	s.warned = true
	text := "What was marked as seen stays on this device, because the account's server "
	switch out.Reason {
	case privatepep.NoPEP:
		text += "has no personal nodes (XEP-0163)."
	case privatepep.NoPublishOptions:
		text += "cannot keep personal nodes private: it does not support publish options (XEP-0223)."
	default:
		text += "cannot keep personal nodes private."
	}
	warning := &pam.Error{Code: pam.CodeUnsupported, Origin: pam.FromServer, Text: text}
	if e := out.Err; e != nil {
		warning.Type, warning.Condition, warning.PubsubCondition = e.Type, e.Condition, e.PubsubCondition
	}
	s.view.warn(warning)
}
