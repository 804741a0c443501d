package engine

import (
	"slices"
	"strings"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/catchup"
	"xmpp-pam/sdk/internal/inbox"
	"xmpp-pam/sdk/pam"
)

// Limits of interests. Their personal nodes are announced in the answer to a disco#info
// query, which must not exceed what servers accept in a stanza.
const (
	maxInterests   = 1000
	maxInterest    = 4096     // bytes of a text
	maxNotify      = 256      // personal nodes
	maxNotifyBytes = 16 << 10 // of their names
)

// CheckInterests returns the interests with normalised services, or an error.
func CheckInterests(interests []pam.Interest) ([]pam.Interest, *pam.Error) {
	if len(interests) > maxInterests {
		return nil, ClientError(pam.CodeBadOptions, "There are too many interests: give at most 1000.")
	}
	var checked []pam.Interest
	if interests != nil {
		checked = []pam.Interest{}
	}
	for _, i := range interests {
		if i.Service != "" {
			j, err := address.Parse(i.Service)
			if err != nil || j.Resourcepart() != "" {
				return nil, ClientError(pam.CodeBadJID, "The service "+quote(i.Service)+" of an interest is no JID without a resource; use one such as pubsub.example.org.")
			}
			i.Service = j.String()
		}
		for _, text := range []string{i.Node, i.Payload} {
			if len(text) > maxInterest || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0xFFFD }) {
				return nil, ClientError(pam.CodeBadOptions, "The interest "+quote(text)+" is longer than 4096 bytes, or contains characters that the name of a node cannot contain.")
			}
		}
		checked = append(checked, i)
	}
	nodes := notifyNodes(checked)
	if len(nodes) > maxNotify || len(strings.Join(nodes, "")) > maxNotifyBytes {
		return nil, ClientError(pam.CodeBadOptions, "The interests name too many personal nodes: give at most 256 with 16384 bytes, or name their services or a prefix.")
	}
	return checked, nil
}

// notifyNodes returns the nodes of which the server sends the events because this
// client announces them with +notify (XEP-0163 §4.1): those that interests name, except at
// pubsub services. A verification string (XEP-0115 §5.1) cannot contain names with "<".
func notifyNodes(interests []pam.Interest) (nodes []string) {
	for _, i := range interests {
		personal := i.Service == "" || (pam.Key{Service: i.Service}).Kind() == pam.KindPEP
		if personal && i.Node != "" && !i.Prefix && !strings.Contains(i.Node, "<") && !slices.Contains(nodes, i.Node) {
			nodes = append(nodes, i.Node)
		}
	}
	return nodes
}

// setInterests sets which events are kept. The other nodes are not asked.
func (e *events) setInterests(interests []pam.Interest) {
	e.interests = interests
	e.step(inbox.SetInterest{Filters: filters(interests)})
	if !e.begun() {
		return
	}
	nodes := e.account.nodes()
	for _, t := range nodes {
		if !e.supports(t) {
			e.catch(catchup.Removed{Service: t.Service, Node: t.Node})
		}
	}
	e.follow(nodes) // which changes nothing of those that are known
}

// supports reports whether events of a node may be wanted. Which payloads are wanted, the
// inbox decides: it remembers what was left out.
func (e *events) supports(t pam.Target) bool {
	return pam.Snapshot{Interests: e.interests}.Supports(pam.Key{Service: t.Service, Node: t.Node})
}

// filters converts interests. Nil means everything.
func filters(interests []pam.Interest) []inbox.Filter {
	if interests == nil {
		return nil
	}
	list := []inbox.Filter{}
	for _, i := range interests {
		list = append(list, inbox.Filter{Service: i.Service, Node: i.Node, Prefix: i.Prefix, Namespace: i.Payload})
	}
	return list
}
