package mem

import (
	"cmp"
	"fmt"
	"slices"
)

// The methods of this file act for the program that runs the server, regardless of the
// nodes' owners. A service is the JID of a pubsub service, empty for pubsub.DOMAIN, or
// an account. The subscribers' events are queued when a method returns.

// CreateNode creates a node at the pubsub service that no account owns. The access
// model is open (or empty), whitelist (no account may subscribe), presence (likewise,
// with another error) or authorize (subscriptions stay pending).
func (s *Server) CreateNode(node, accessModel string) error {
	return s.CreateNodeAt("", node, map[string]string{optAccess: accessModel})
}

// CreateNodeAt creates a node with a configuration (XEP-0060 §8.2): the names of its
// fields are pubsub#title and so on; an empty value means the default. A node at an
// account belongs to the account.
func (s *Server) CreateNodeAt(service, name string, config map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	svc := s.service(service)
	wish, err := s.configOf(config)
	switch {
	case svc == nil:
		return fmt.Errorf("mem: there is no service %q", service)
	case name == "":
		return fmt.Errorf("mem: a node needs a name")
	case err != nil:
		return fmt.Errorf("mem: the node %q cannot be made: %w", name, err)
	}
	if _, err := s.create(svc, name, svc.owner, wish); err != nil {
		return fmt.Errorf("mem: the node %q cannot be made: %s", name, err.cond)
	}
	return nil
}

// Configure changes the configuration of a node.
func (s *Server) Configure(service, name string, config map[string]string) error {
	return s.at(service, name, func(n *node) error {
		wish, err := s.configOf(config)
		if err == nil {
			s.configure(n, wish)
		}
		return err
	})
}

// RequireOptions makes new subscriptions of a node unconfigured until their options are
// submitted (XEP-0060 §6.1.5).
func (s *Server) RequireOptions(service, name string) error {
	return s.at(service, name, func(n *node) error {
		n.options = true
		return nil
	})
}

// Publish publishes at the pubsub service. The payload is one XML element with all its
// namespaces, or empty; without an item id one is generated.
func (s *Server) Publish(node, itemID, payloadXML string) error {
	return s.PublishAt("", node, itemID, payloadXML)
}

// PublishAt does it at any service.
func (s *Server) PublishAt(service, name, itemID, payloadXML string) error {
	return s.at(service, name, func(n *node) error {
		it := item{id: itemID, publisher: n.owner}
		if it.id == "" {
			it.id = s.newID("i")
		}
		if payloadXML != "" {
			payload, err := parse([]byte(payloadXML))
			if err != nil {
				return fmt.Errorf("mem: the payload is not one XML element: %w", err)
			}
			it.payload = payload
		}
		s.publish(n, it)
		return nil
	})
}

// Retract removes an item.
func (s *Server) Retract(service, name, itemID string) error {
	return s.at(service, name, func(n *node) error {
		if !s.retract(n, itemID, true) {
			return fmt.Errorf("mem: the node %q has no item %q", name, itemID)
		}
		return nil
	})
}

// Purge removes all items of a node.
func (s *Server) Purge(service, name string) error {
	return s.at(service, name, func(n *node) error {
		s.purge(n)
		return nil
	})
}

// DeleteNode deletes a node. The XMPP URI of its successor is optional.
func (s *Server) DeleteNode(service, name, redirect string) error {
	return s.at(service, name, func(n *node) error {
		s.deleteNode(n, redirect)
		return nil
	})
}

// Items returns the ids of a node's items, the one that was published last at the end.
func (s *Server) Items(service, name string) ([]string, error) {
	var ids []string
	err := s.at(service, name, func(n *node) error {
		for _, it := range n.items {
			ids = append(ids, it.id)
		}
		return nil
	})
	return ids, err
}

// ExpireArchive removes all but the newest entries of an account's archive: their ids
// are unknown afterwards.
func (s *Server) ExpireArchive(account string, keep int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.account(account); a != nil {
		a.archive.keep(keep)
	}
}

// ExpireNodeArchive does it with the archive of a node.
func (s *Server) ExpireNodeArchive(service, name string, keep int) error {
	return s.at(service, name, func(n *node) error {
		if n.archive != nil {
			n.archive.keep(keep)
		}
		return nil
	})
}

// Befriend makes two accounts see each other's presence: each may subscribe to the
// other's personal nodes with the access model presence, and receives the events of
// those that its capabilities name with +notify (XEP-0163 §4).
func (s *Server) Befriend(account, other string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, b := s.account(account), s.account(other)
	if a == nil || b == nil || a == b {
		return fmt.Errorf("mem: %q and %q are not two accounts", account, other)
	}
	a.contacts[b.bare], b.contacts[a.bare] = true, true
	s.sendLastOf(a, b)
	s.sendLastOf(b, a)
	return nil
}

func (s *Server) at(service, name string, do func(*node) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	svc := s.service(service)
	if svc == nil || svc.nodes[name] == nil {
		return fmt.Errorf("mem: there is no node %q at %q; create it first", name, cmp.Or(service, "the pubsub service"))
	}
	return do(svc.nodes[name])
}

// service returns the service with that JID, of the account with that name, or the
// pubsub service for an empty name.
func (s *Server) service(name string) *service {
	if name == "" {
		name = s.pubsubJID()
	}
	if svc := s.services[name]; svc != nil {
		return svc
	}
	if a := s.account(name); a != nil {
		return s.services[a.bare]
	}
	return nil
}

// configOf returns a configuration in normal form.
func (s *Server) configOf(config map[string]string) (values, error) {
	x := el(nsData, "x", "type", "submit").with(el(nsData, "field", "var", "FORM_TYPE").with(el(nsData, "value").with(nodeConfig.formType)))
	for name, v := range config {
		if !slices.ContainsFunc(nodeConfig.fields, func(f field) bool { return f.name == name }) {
			return nil, fmt.Errorf("the option %q is unknown", name)
		}
		if v != "" {
			x.with(el(nsData, "field", "var", name).with(el(nsData, "value").with(v)))
		}
	}
	wish, err := s.readConfig(nodeConfig, x)
	if err != nil {
		return nil, fmt.Errorf("%s %s", err.cond, err.text)
	}
	return wish, nil
}
