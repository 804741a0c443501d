package client

import (
	"context"
	"errors"
	"strings"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/engine"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// IQ sends an iq of type "get" or "set" and returns the payload of the result as XML
// text, or "" if it has none. It is for requests that this package has no method for.
//
// To is the JID of the recipient, or empty for the account. Payload is one XML element
// with a namespace. Only an answer from the recipient is accepted. The recipient has 20
// seconds to answer, not counting the time without a connection. If the session ends
// before, the error has pam.CodeOutcomeUnknown. IQ sends nothing and returns an error
// with pam.CodeOffline if the Client is not connected.
func (c *Client) IQ(ctx context.Context, to, kind, payload string) (string, error) {
	if kind != "get" && kind != "set" {
		return "", engine.ClientError(pam.CodeBadOptions, "The type of an iq is get or set, not "+kind+".")
	}
	only, err := parsePayload("iq", payload)
	if err != nil {
		return "", err
	}
	iq, err := c.request(ctx, kind, to, only)
	if err != nil {
		return "", err
	}
	return textOf(iq.First())
}

// Send sends a message stanza. Content is the XML text of its children, in which
// elements without a namespace are those of XMPP, such as <body/>. Kind is the type of
// the message, or empty. Send returns when the stanza is sent, or will be sent when the
// session is resumed; no answer is awaited. It returns an error with pam.CodeOffline if
// the Client is not connected.
func (c *Client) Send(ctx context.Context, to, kind, content string) error {
	children, err := parseContent("message", content)
	if err != nil {
		return err
	}
	if to == "" {
		return engine.ClientError(pam.CodeBadJID, "The recipient of the message is missing.")
	}
	return perform(ctx, c, func(e *engine.Engine, reply func(error)) { e.Send(to, kind, children, reply) })
}

// request sends an iq and returns the result.
func (c *Client) request(ctx context.Context, kind, to string, payload *element.Element) (*element.Element, error) {
	return call(ctx, c, func(e *engine.Engine, reply func(*element.Element, error)) { e.Request(ctx, kind, to, payload, reply) })
}

// parsePayload parses XML text that must be one element with a namespace.
func parsePayload(parent, xml string) (*element.Element, error) {
	children, err := parseContent(parent, xml)
	if err != nil {
		return nil, err
	}
	var only *element.Element
	for _, n := range children {
		switch {
		case n.Element == nil && strings.TrimSpace(n.Text) == "":
		case only != nil || n.Element == nil || n.Element.Name.Space == ns.Client || n.Element.Name.Space == "":
			return nil, engine.ClientError(pam.CodeBadOptions, "The payload of an "+parent+" is one element with a namespace, such as <entry xmlns='http://www.w3.org/2005/Atom'>…</entry>.")
		default:
			only = n.Element
		}
	}
	if only == nil {
		return nil, engine.ClientError(pam.CodeBadOptions, "The payload of the "+parent+" is missing: give one element with a namespace.")
	}
	return only, nil
}

// parseContent parses the XML text of the children of a stanza.
func parseContent(stanza, content string) ([]element.Node, error) {
	e, err := element.Parse("<"+stanza+" xmlns='"+ns.Client+"'>"+content+"</"+stanza+">", nil)
	if err != nil {
		var syntax *element.SyntaxError
		text := err.Error()
		if errors.As(err, &syntax) {
			text = syntax.Text
		}
		return nil, &pam.Error{Code: pam.CodeBadOptions, Origin: pam.FromClient, Err: err,
			Text: "The content of the " + stanza + " is not well-formed XML: " + text + ". Nothing was sent."}
	}
	return e.Children, nil
}

// textOf returns the XML text of an element of an answer.
func textOf(e *element.Element) (string, error) {
	text, err := e.XML(pam.MaxText)
	if err != nil {
		return "", &pam.Error{Code: pam.CodeTooLarge, Origin: pam.FromService, Err: err,
			Text: "The answer cannot be delivered: " + err.Error() + "."}
	}
	return text, nil
}
