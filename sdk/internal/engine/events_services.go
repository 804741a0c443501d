package engine

import (
	"maps"

	"xmpp-pam/sdk/internal/catchup"
	"xmpp-pam/sdk/internal/disco"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

// maxQueries is the maximum number of services whose features are queried at once.
const maxQueries = 4

// A discovery finds out what the account and the services of its nodes offer to a
// catch-up. The nodes of a service are held until it has answered, or has not answered in
// time.
type discovery struct {
	waits   bool // the list equals the server's, but the inbox has not been read yet
	archive catchup.ArchiveSupport
	known   map[string]catchup.Support // in this run, including the account
	waiting []string                   // services to query
	pending int                        // queries
	held    map[string][]pam.Target    // by service, until the answer to its query has come
	ended   bool                       // the program has canceled the catch-up
}

// busy reports whether nodes are held.
func (d *discovery) busy() bool { return len(d.held) > 0 }

// stop forgets the queries of a session that has ended.
func (d *discovery) stop() {
	d.waits, d.waiting, d.pending, d.ended = false, nil, 0, false
	clear(d.held)
}

// ready returns those of the nodes of which nothing more must be known, and holds the
// others, except for those of which nothing is wanted. A service is queried only if the
// archive of the account does not hold all of its events.
func (e *events) ready(targets []pam.Target) (nodes []catchup.Node) {
	d := &e.services
	for _, t := range targets {
		if !e.supports(t) {
			continue
		}
		n := e.node(t)
		_, known := d.known[t.Service]
		if known || n.Current || d.archive == catchup.AllEvents || (pam.Key{Service: t.Service}).Kind() != pam.KindPubsub {
			nodes = append(nodes, n)
			continue
		}
		if _, asked := d.held[t.Service]; !asked {
			d.waiting = append(d.waiting, t.Service)
		}
		d.held[t.Service] = append(d.held[t.Service], t)
	}
	return nodes
}

// queryNext queries as many services as are allowed.
func (e *events) queryNext() {
	d := &e.services
	for d.pending < maxQueries && len(d.waiting) > 0 {
		to := d.waiting[0]
		d.waiting = d.waiting[1:]
		e.query(to)
	}
}

// query queries the features of the account or a service. Then the catch-up continues.
func (e *events) query(to string) {
	d := &e.services
	d.pending++
	e.session.info(to, func(info *disco.Info, err *pam.Error) {
		d.pending--
		switch {
		case err == nil:
			e.learn(to, info)
		case err.Code == pam.CodeStanza:
			e.learn(to, &disco.Info{})
		}
		held := d.held[to]
		delete(d.held, to)
		if to == e.cfg.Account.String() {
			e.start()
			if d.ended {
				e.cancel()
			}
			return
		}
		if len(held) > 0 { // else the catch-up was canceled meanwhile
			e.release(held)
		}
		e.queryNext()
	})
}

// release adds nodes that were held to the catch-up, except for those that are not
// followed any more.
func (e *events) release(held []pam.Target) {
	in := catchup.Added{Services: maps.Clone(e.services.known)}
	for _, t := range held {
		if e.supports(t) && e.account.follows(t.Service, t.Node) {
			in.Nodes = append(in.Nodes, e.node(t))
		}
	}
	e.catch(in)
	if s := e.catchUp.State(); s.Phase != pam.CatchUpRunning && !e.services.busy() { // Nothing had to be requested.
		e.setProgress(s)
		e.endCatchUp()
	}
}

// learn records the features of the account or a service.
func (e *events) learn(address string, info *disco.Info) {
	d := &e.services
	d.known[address] = catchup.Support{NodeArchive: info.Has(ns.MAM), Paging: info.Has(ns.RSM) || info.Has(ns.Pubsub+"#rsm")}
	if address == e.cfg.Account.String() {
		d.archive = catchup.NoArchive
		if info.Has(ns.MAM) {
			d.archive = catchup.SomeEvents
			if info.Has(ns.ArchivesAllEvents) {
				d.archive = catchup.AllEvents
			}
		}
	}
}

// follows reports whether the account follows the node of a notification. ejabberd sends
// the last items of a contact's node from the domain of its service, to the session that
// has sent presence. If exactly one followed contact at that server has a node of that
// name, it is meant. Without the second condition, anyone who may create a node at that
// service, and subscribe the account to it, could speak for the contact.
func (e *events) follows(n *pubsub.Notification, direct bool) bool {
	if n.Service == "" {
		n.Service = e.cfg.Account.String()
	}
	if e.account.follows(n.Service, n.Node) {
		return true
	}
	if !direct {
		return false
	}
	owners := e.account.owners(n.Service, n.Node)
	if len(owners) != 1 {
		return false
	}
	n.Service = owners[0]
	return true
}
