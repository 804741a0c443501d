package mem

import (
	"maps"
	"slices"
	"strconv"
)

const (
	nsDiscoInfo  = "http://jabber.org/protocol/disco#info"
	nsDiscoItems = "http://jabber.org/protocol/disco#items"
)

var common = []string{nsDiscoInfo, nsDiscoItems, nsPing}

// pubsubFeatures are the features of a pubsub service and of an account's personal
// service (XEP-0060 §10).
var pubsubFeatures = []string{
	nsPubsub,
	nsPubsub + "#access-authorize",
	nsPubsub + "#access-open",
	nsPubsub + "#access-presence",
	nsPubsub + "#access-whitelist",
	nsPubsub + "#config-node",
	nsPubsub + "#config-node-max",
	nsPubsub + "#create-and-configure",
	nsPubsub + "#create-nodes",
	nsPubsub + "#delete-items",
	nsPubsub + "#delete-nodes",
	nsPubsub + "#instant-nodes",
	nsPubsub + "#item-ids",
	nsPubsub + "#last-published",
	nsPubsub + "#manage-subscriptions",
	nsPubsub + "#meta-data",
	nsPubsub + "#modify-affiliations",
	nsPubsub + "#persistent-items",
	nsPubsub + "#publish",
	nsPubsub + "#publish-options",
	nsPubsub + "#purge-nodes",
	nsPubsub + "#retract-items",
	nsPubsub + "#retrieve-default",
	nsPubsub + "#retrieve-items",
	nsPubsub + "#retrieve-subscriptions",
	nsPubsub + "#subscribe",
	nsPubsub + "#subscription-notifications",
	nsPubsub + "#subscription-options",
}

// discoInfo describes the domain (svc nil), a pubsub service, an account, or a node of the latter two (XEP-0030 §3).
func (s *Server) discoInfo(svc *service, node string) (*elem, *stanzaError) {
	q := el(nsDiscoInfo, "query", "node", node)
	features := slices.Clone(common)
	switch {
	case node != "":
		if svc == nil || svc.nodes[node] == nil {
			return nil, itemNotFound()
		}
		q.with(identity("pubsub", "leaf"), feature(nsPubsub), svc.nodes[node].metadata())
		return q, nil
	case svc == nil:
		q.with(identity("server", "im"))
	case svc.owner == "":
		q.with(identity("pubsub", "service"))
	default:
		q.with(identity("account", "registered"), identity("pubsub", "pep"))
		features = append(features, nsPubsub+"#auto-create", nsPubsub+"#auto-subscribe", nsPubsub+"#filtered-notifications",
			nsPubsub+"#presence-notifications", nsPubsub+"#presence-subscribe")
		messages, events := s.archives(s.accounts[svc.owner])
		if !s.cfg.DisablePAM {
			features = append(features, nsPAM)
			if events {
				features = append(features, nsAllEvents)
			}
		}
		if messages {
			features = append(features, nsMAM, nsMAMMore, nsStanzaID)
		}
	}
	if svc != nil {
		features = append(features, pubsubFeatures...)
		if svc.owner != "" && s.accounts[svc.owner].like.Public {
			features = slices.DeleteFunc(features, func(f string) bool {
				return f == nsPubsub+"#access-whitelist" || f == nsPubsub+"#publish-options"
			})
		}
		if s.cfg.RSM {
			features = append(features, nsRSM, nsPubsub+"#rsm")
		}
		if s.cfg.NodeArchive && svc.owner == "" {
			features = append(features, nsMAM, nsMAMMore)
		}
	}
	for _, name := range features {
		q.with(feature(name))
	}
	return q, nil
}

// metadata returns the form with the description of the node.
func (n *node) metadata() *elem {
	subscribers := 0
	for _, sub := range n.subs {
		if sub.state == "subscribed" {
			subscribers++
		}
	}
	v := n.all()
	v["pubsub#creation_date"] = []string{n.created.UTC().Format(stampSeconds)}
	v["pubsub#num_subscribers"] = []string{strconv.Itoa(subscribers)}
	return metadata.elem("result", v)
}

// discoItems lists the services of the domain, the nodes of a service, or the items of
// a node (XEP-0060 §5.2, §5.5), in pages if Config.RSM is set.
func (s *Server) discoItems(svc *service, r request) (*elem, *stanzaError) {
	node := r.payload.get("node")
	q := el(nsDiscoItems, "query", "node", node)
	var names []string
	item := func(name string) *elem { return el(nsDiscoItems, "item", "jid", name) }
	switch {
	case svc == nil && node == "":
		for _, name := range slices.Sorted(maps.Keys(s.services)) {
			if s.services[name].owner == "" {
				names = append(names, name)
			}
		}
	case svc == nil || node != "" && svc.nodes[node] == nil:
		return nil, itemNotFound()
	case node != "":
		if s.mayRead(svc.nodes[node], r.from) == nil {
			for _, it := range svc.nodes[node].items {
				names = append(names, it.id)
			}
		}
		item = func(id string) *elem { return el(nsDiscoItems, "item", "jid", svc.jid, "name", id) }
	default:
		names = slices.Sorted(maps.Keys(svc.nodes))
		item = func(name string) *elem {
			return el(nsDiscoItems, "item", "jid", svc.jid, "node", name, "name", svc.nodes[name].option(optTitle))
		}
	}
	p, err := readPage(r.payload)
	if err != nil {
		return nil, err
	}
	var set *elem
	if p.given && s.cfg.RSM {
		from, to, ok := p.cutNames(names, len(names))
		if !ok {
			return nil, itemNotFound()
		}
		names, set = names[from:to], pageOf(names, from, to)
	}
	for _, name := range names {
		q.with(item(name))
	}
	return q.with(set), nil
}

func identity(category, typ string) *elem {
	return el(nsDiscoInfo, "identity", "category", category, "type", typ)
}

func feature(name string) *elem { return el(nsDiscoInfo, "feature", "var", name) }
