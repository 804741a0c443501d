package engine

import (
	"slices"
	"strings"

	"xmpp-pam/sdk/pam"
)

// follows reports whether the list contains a subscription to the node, or is about to:
// events can arrive before the notify is stored.
func (a *account) follows(service, node string) bool { return a.machine.Follows(service, node) }

// owners returns the contacts at the server of a service whose node of that name the list
// contains.
func (a *account) owners(service, node string) (owners []string) {
	if strings.Contains(service, "@") {
		return nil
	}
	list, _ := a.machine.Committed()
	for _, s := range list.Rows() {
		if s.Node != node {
			continue
		}
		if _, domain, ok := strings.Cut(s.Service, "@"); ok && (service == domain || strings.HasSuffix(service, "."+domain)) && !slices.Contains(owners, s.Service) {
			owners = append(owners, s.Service)
		}
	}
	return owners
}

// nodes returns the nodes of the list.
func (a *account) nodes() (nodes []pam.Target) {
	list, _ := a.machine.Committed()
	for _, s := range list.Rows() {
		if n := len(nodes); n == 0 || nodes[n-1].Service != s.Service || nodes[n-1].Node != s.Node {
			nodes = append(nodes, pam.Target{Service: s.Service, Node: s.Node})
		}
	}
	return nodes
}

// empty reports whether the list is empty.
func (a *account) empty() bool {
	list, _ := a.machine.Committed()
	return list.Len() == 0
}
