package pubsub

import (
	"fmt"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// maxNodes is the maximum number of nodes of one answer. Services that do not support
// paging return all their nodes.
const maxNodes = 10_000

// Create returns the <pubsub/> that creates a node (XEP-0060 §8.1), with the default
// configuration if config is nil. The service chooses the name if node is empty.
func Create(node string, config pam.Form) *element.Element {
	create := element.New(ns.Pubsub, "create")
	if node != "" {
		create.Set("node", node)
	}
	body := wrap(ns.Pubsub, create)
	if config != nil {
		body.Add(element.New(ns.Pubsub, "configure").Add(SubmitForm(formNodeConfig, config)))
	}
	return body
}

// ParseCreated parses the iq that answers Create. It returns the name of the node, or ""
// if the service does not say: it is then that of the request.
func ParseCreated(iq *element.Element) string {
	return short(iq.Child(ns.Pubsub, "pubsub").Child(ns.Pubsub, "create").Attr("node"))
}

// Delete returns the <pubsub/> that deletes a node (XEP-0060 §8.4). redirect is the URI of
// the node that replaces it, or empty.
func Delete(node, redirect string) *element.Element {
	e := element.New(ns.PubsubOwner, "delete").Set("node", node)
	if redirect != "" {
		e.Add(element.New(ns.PubsubOwner, "redirect").Set("uri", redirect))
	}
	return wrap(ns.PubsubOwner, e)
}

// Purge returns the <pubsub/> that deletes all items of a node (XEP-0060 §8.5).
func Purge(node string) *element.Element {
	return wrap(ns.PubsubOwner, element.New(ns.PubsubOwner, "purge").Set("node", node))
}

// NodeConfig returns the <pubsub/> that requests the configuration of a node from its
// owner's view (XEP-0060 §8.2.1), for an iq of type get.
func NodeConfig(node string) *element.Element {
	return wrap(ns.PubsubOwner, element.New(ns.PubsubOwner, "configure").Set("node", node))
}

// SetNodeConfig returns the <pubsub/> that changes the configuration of a node (XEP-0060
// §8.2.4), for an iq of type set.
func SetNodeConfig(node string, config pam.Form) *element.Element {
	return wrap(ns.PubsubOwner, element.New(ns.PubsubOwner, "configure").Set("node", node).
		Add(SubmitForm(formNodeConfig, config)))
}

// ParseNodeConfig parses the iq that answers NodeConfig.
func ParseNodeConfig(iq *element.Element) (pam.Form, error) {
	body, err := payload(iq, ns.PubsubOwner, "pubsub")
	if err != nil {
		return nil, err
	}
	return ParseForm(body.Child(ns.PubsubOwner, "configure").Child(ns.DataForms, "x"))
}

// Nodes returns the query for the nodes of a service (XEP-0060 §5.2), for an iq of type
// get. page may be nil.
func Nodes(page *Page) *element.Element {
	return element.New(ns.DiscoItems, "query").Add(page.Element())
}

// ParseNodes parses the iq that answers Nodes to service. Title is the name that the
// service gives a node; other fields are empty. Entries that are not nodes of service are
// ignored. The page is nil if the service does not support paging.
//
// If the error is ErrLeftOut, the returned nodes are valid.
func ParseNodes(iq *element.Element, service string) ([]pam.NodeInfo, *PageInfo, error) {
	query, err := payload(iq, ns.DiscoItems, "query")
	if err != nil {
		return nil, nil, err
	}
	var nodes []pam.NodeInfo
	var left leftOut
	for e := range query.Elements() {
		node := e.Attr("node")
		switch {
		case !e.Is(ns.DiscoItems, "item") || node == "" || !address.Equal(e.Attr("jid"), service):
		case len(node) > maxID || len(nodes) == maxNodes:
			left.out("a node with a long name, or after the first " + fmt.Sprint(maxNodes))
		default:
			nodes = append(nodes, pam.NodeInfo{Service: service, Node: short(node), Title: shorten(e.Attr("name"), maxLabel)})
		}
	}
	return nodes, ParsePage(query), left.err()
}

// NodeInfo returns the query for the metadata of a node (XEP-0060 §5.4), for an iq of type
// get.
func NodeInfo(node string) *element.Element {
	return element.New(ns.DiscoInfo, "query").Set("node", node)
}

// ParseNodeInfo parses the iq that answers NodeInfo to service.
func ParseNodeInfo(iq *element.Element, service, node string) (pam.NodeInfo, error) {
	info := pam.NodeInfo{Service: service, Node: node}
	query, err := payload(iq, ns.DiscoInfo, "query")
	if err != nil {
		return info, err
	}
	if named, ok := query.Lookup("node"); ok && named != node {
		return info, fmt.Errorf("%w: it is about another node", ErrResult)
	}
	for e := range query.Elements() {
		if e.Is(ns.DiscoInfo, "identity") && e.Attr("category") == "pubsub" {
			switch kind := pam.NodeKind(e.Attr("type")); kind {
			case pam.NodeLeaf, pam.NodeCollection:
				info.Kind = kind
			}
		}
		form, _ := ParseForm(e) // what it leaves out is not metadata of XEP-0060
		if form.Value(formTypeField) != formMetaData {
			continue
		}
		info.Title = shorten(form.Value("pubsub#title"), maxLabel)
		info.Description = shorten(form.Value("pubsub#description"), maxDescription)
		info.PayloadType = short(form.Value("pubsub#type"))
		info.AccessModel = short(form.Value("pubsub#access_model"))
		info.Created = parseTime(form.Value("pubsub#creation_date"))
		info.Subscribers = max(0, number(form.Value("pubsub#num_subscribers")))
	}
	return info, nil
}

// maxDescription is the maximum length of the description of a node, in bytes.
const maxDescription = 8 << 10
