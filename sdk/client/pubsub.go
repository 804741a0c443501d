package client

import (
	"context"
	"errors"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/engine"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

// The methods in this file send requests directly to a service, or to an account for its
// own nodes (XEP-0163). They return an error with pam.CodeOffline if the Client is not
// connected, pam.CodeStanza if the service refuses, and pam.CodeTimeout if it does not
// answer within 20 seconds.

// ParseURI parses an XMPP URI that names a node, such as
// xmpp:pubsub.example.org?;node=news (XEP-0060 §13.22), for example to subscribe to it.
func ParseURI(uri string) (pam.Target, error) {
	u, err := pubsub.ParseURI(uri)
	if err != nil {
		return pam.Target{}, badOptions(err)
	}
	return pam.Target{Service: u.Service, Node: u.Node}, nil
}

// Publish publishes an item (XEP-0060 §7.1) and returns its id. The service chooses the
// id if it is empty. XML is the payload: one element with a namespace.
func (c *Client) Publish(ctx context.Context, t pam.Target, id, xml string) (string, error) {
	payload, err := parsePayload("item", xml)
	if err != nil {
		return "", err
	}
	iq, err := c.ask(ctx, "set", t, pubsub.Publish(t.Node, id, payload, nil))
	if err != nil {
		return "", err
	}
	if published := pubsub.ParsePublished(iq); published != "" {
		return published, nil
	}
	return id, nil
}

// Retract deletes an item (XEP-0060 §7.2) and notifies the subscribers.
func (c *Client) Retract(ctx context.Context, t pam.Target, id string) error {
	_, err := c.ask(ctx, "set", t, pubsub.Retract(t.Node, id, true))
	return err
}

// Items returns items of a node (XEP-0060 §6.5) as its service keeps them: those with
// the ids, or the newest max ones, or as many as the service returns if max is 0. Their
// order is that of the service, which says nothing of their age.
func (c *Client) Items(ctx context.Context, t pam.Target, max int, ids ...string) ([]pam.Item, error) {
	iq, err := c.ask(ctx, "get", t, pubsub.ItemsRequest{Node: t.Node, SubID: t.SubID, IDs: ids, Max: max}.Element())
	if err != nil {
		return nil, err
	}
	found, _, err := pubsub.ParseItems(iq, t.Service, t.Node)
	if err = c.checkAnswer(t.Service, err); err != nil {
		return nil, err
	}
	items := make([]pam.Item, 0, len(found))
	for _, n := range found {
		items = append(items, item(n))
	}
	return items, nil
}

// item converts an item of a service. An Atom entry says when it was published.
func item(n pubsub.Notification) pam.Item {
	out := pam.Item{ID: n.ItemID, Publisher: n.Publisher}
	if n.Payload == nil {
		return out
	}
	out.Namespace, out.Entry = n.Payload.Name.Space, pubsub.ParseAtom(n.Payload)
	if text, err := n.Payload.XML(pam.MaxText); err == nil {
		out.XML = text
	}
	if e := out.Entry; e != nil {
		if out.OccurredAt = e.Published; out.OccurredAt.IsZero() {
			out.OccurredAt = e.Updated
		}
	}
	return out
}

// CreateNode creates a node (XEP-0060 §8.1) and returns its name, which the service
// chooses if t.Node is empty. Config may be nil for the default configuration.
func (c *Client) CreateNode(ctx context.Context, t pam.Target, config pam.Form) (string, error) {
	iq, err := c.ask(ctx, "set", t, pubsub.Create(t.Node, config))
	if err != nil {
		return "", err
	}
	if name := pubsub.ParseCreated(iq); name != "" {
		return name, nil
	}
	return t.Node, nil
}

// DeleteNode deletes a node (XEP-0060 §8.4). Redirect is the XMPP URI of the node that
// replaces it, or empty.
func (c *Client) DeleteNode(ctx context.Context, t pam.Target, redirect string) error {
	_, err := c.ask(ctx, "set", t, pubsub.Delete(t.Node, redirect))
	return err
}

// Nodes returns the nodes of a service (XEP-0060 §5.2): at most max if it is not 0 and
// the service supports paging (XEP-0059). The result next is the value of after for the
// next page, or empty after the last one.
func (c *Client) Nodes(ctx context.Context, service string, max int, after string) (nodes []pam.NodeInfo, next string, err error) {
	var page *pubsub.Page
	if max > 0 || after != "" {
		page = &pubsub.Page{Max: max, After: after}
	}
	iq, err := c.ask(ctx, "get", pam.Target{Service: service}, pubsub.Nodes(page))
	if err != nil {
		return nil, "", err
	}
	nodes, info, err := pubsub.ParseNodes(iq, service)
	if err = c.checkAnswer(service, err); err != nil {
		return nil, "", err
	}
	if page != nil && info != nil && info.Last != after && len(nodes) > 0 && (info.Count < 0 || info.Index < 0 || info.Index+len(nodes) < info.Count) {
		next = info.Last
	}
	return nodes, next, nil
}

// NodeInfo returns the metadata of a node (XEP-0060 §5.4).
func (c *Client) NodeInfo(ctx context.Context, t pam.Target) (pam.NodeInfo, error) {
	iq, err := c.ask(ctx, "get", t, pubsub.NodeInfo(t.Node))
	if err != nil {
		return pam.NodeInfo{}, err
	}
	info, err := pubsub.ParseNodeInfo(iq, t.Service, t.Node)
	return info, c.checkAnswer(t.Service, err)
}

// SubscriptionOptions returns the options of a subscription of the account (XEP-0060
// §6.3) as a form that can be shown. A subscription whose state is
// pam.StateUnconfigured delivers nothing until SetSubscriptionOptions succeeds.
func (c *Client) SubscriptionOptions(ctx context.Context, t pam.Target) (pam.Form, error) {
	iq, err := c.ask(ctx, "get", t, pubsub.Options(t.Node, c.engine.Account(), t.SubID))
	if err != nil {
		return nil, err
	}
	form, err := pubsub.ParseOptions(iq)
	return form, c.checkAnswer(t.Service, err)
}

// SetSubscriptionOptions changes options of a subscription. Form may contain the changed
// fields only. It is checked against the form that the service offers; if a value is not
// allowed, nothing is changed and the error has pam.CodeBadOptions and wraps a
// *pam.FormError.
func (c *Client) SetSubscriptionOptions(ctx context.Context, t pam.Target, form pam.Form) error {
	offered, err := c.SubscriptionOptions(ctx, t)
	if err != nil {
		return err
	}
	filled, err := pubsub.Fill(offered, form)
	if err != nil {
		return badOptions(err)
	}
	_, err = c.ask(ctx, "set", t, pubsub.SetOptions(t.Node, c.engine.Account(), t.SubID, filled))
	return err
}

// ask sends a request to the service of t.
func (c *Client) ask(ctx context.Context, kind string, t pam.Target, payload *element.Element) (*element.Element, error) {
	if t.Service == "" {
		return nil, engine.ClientError(pam.CodeBadJID, "The service is missing: name a JID such as pubsub.example.org.")
	}
	return c.request(ctx, kind, t.Service, payload)
}

// checkAnswer converts the error of a parser. Parts that were left out are a warning.
func (c *Client) checkAnswer(service string, err error) error {
	if err == nil {
		return nil
	}
	e := &pam.Error{Code: pam.CodeProtocol, Origin: pam.FromService, By: service, Err: err,
		Text: "The answer of " + service + " is invalid: " + err.Error()}
	if errors.Is(err, pubsub.ErrLeftOut) {
		e.Text = "Parts of the answer of " + service + " are left out: " + err.Error()
		c.engine.Post(func() { c.engine.Warn(e) })
		return nil
	}
	return e
}

func badOptions(err error) *pam.Error {
	text := err.Error()
	var form *pam.FormError
	var uri *pubsub.URIError
	if errors.As(err, &form) {
		text = "The value of the field " + form.Field + " is not allowed: " + form.Text
	} else if errors.As(err, &uri) {
		text = uri.Text
	}
	return &pam.Error{Code: pam.CodeBadOptions, Origin: pam.FromClient, Err: err, Text: text}
}
