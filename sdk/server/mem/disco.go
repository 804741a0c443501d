package mem

import (
	"maps"
	"slices"
)

const (
	nsDiscoInfo  = "http://jabber.org/protocol/disco#info"
	nsDiscoItems = "http://jabber.org/protocol/disco#items"
)

var common = []string{nsDiscoInfo, nsDiscoItems, nsPing}

// pubsubFeatures are the features of the pubsub service and of an account's personal
// service (XEP-0060 §10).
var pubsubFeatures = []string{
	nsPubsub,
	nsPubsub + "#access-authorize",
	nsPubsub + "#access-open",
	nsPubsub + "#access-presence",
	nsPubsub + "#access-whitelist",
	nsPubsub + "#create-and-configure",
	nsPubsub + "#create-nodes",
	nsPubsub + "#delete-nodes",
	nsPubsub + "#instant-nodes",
	nsPubsub + "#item-ids",
	nsPubsub + "#manage-subscriptions",
	nsPubsub + "#persistent-items",
	nsPubsub + "#publish",
	nsPubsub + "#retract-items",
	nsPubsub + "#retrieve-items",
	nsPubsub + "#retrieve-subscriptions",
	nsPubsub + "#subscribe",
	nsPubsub + "#subscription-notifications",
}

// discoInfo describes the domain (svc nil), the pubsub service, an account, or a node of the latter two (XEP-0030 §3).
func (s *Server) discoInfo(svc *service, node string) (*elem, *stanzaError) {
	q := el(nsDiscoInfo, "query", "node", node)
	switch {
	case node != "":
		if svc == nil || svc.nodes[node] == nil {
			return nil, itemNotFound()
		}
		q.with(identity("pubsub", "leaf"), feature(nsPubsub))
		return q, nil
	case svc == nil:
		q.with(identity("server", "im"))
	case svc.owner == "":
		q.with(identity("pubsub", "service"))
	default:
		q.with(identity("account", "registered"), identity("pubsub", "pep"), feature(nsPubsub+"#auto-create"))
		if !s.cfg.DisablePAM {
			q.with(feature(nsPAM))
		}
	}
	for _, name := range common {
		q.with(feature(name))
	}
	if svc != nil {
		for _, name := range pubsubFeatures {
			q.with(feature(name))
		}
	}
	return q, nil
}

// discoItems lists the services of the domain, the nodes of a service, or the items of a node (XEP-0060 §5.2, §5.5).
func (s *Server) discoItems(svc *service, node string) (*elem, *stanzaError) {
	q := el(nsDiscoItems, "query", "node", node)
	switch {
	case svc == nil && node == "":
		q.with(el(nsDiscoItems, "item", "jid", s.pubsubJID()))
	case svc == nil || node != "" && svc.nodes[node] == nil:
		return nil, itemNotFound()
	case node != "":
		if svc.nodes[node].access == "open" {
			for _, it := range svc.nodes[node].items {
				q.with(el(nsDiscoItems, "item", "jid", svc.jid, "name", it.id))
			}
		}
	default:
		for _, name := range slices.Sorted(maps.Keys(svc.nodes)) {
			q.with(el(nsDiscoItems, "item", "jid", svc.jid, "node", name))
		}
	}
	return q, nil
}

func identity(category, typ string) *elem {
	return el(nsDiscoInfo, "identity", "category", category, "type", typ)
}

func feature(name string) *elem { return el(nsDiscoInfo, "feature", "var", name) }
