package engine

import (
	"errors"
	"fmt"
	"slices"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/disco"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
)

// A request is an iq that waits for its answer.
type request struct {
	id, to    string
	done      func(iq *element.Element, err *pam.Error)
	time      deadline
	withdrawn bool // the caller no longer waits for the answer
	lasting   bool // done is called even if the session ends first
}

// expect starts or continues the timeout of a request. A resumption does not restart it.
func (s *session) expect(r *request) {
	r.time.run(s.loop, func() { s.reply(r, nil, timeoutError()) })
}

// ask sends an iq of type kind to an entity. After the current work, done is called once
// with the result, or with an error of code stanza, timeout, outcome-unknown or, if the
// request is too large, bad-options. It is never called after the end of the session.
func (s *session) ask(kind, to string, payload *element.Element, done func(*element.Element, *pam.Error)) *request {
	r := &request{id: randomID(), to: to, done: done, time: deadline{left: requestTimeout}}
	if !s.open {
		s.reply(r, nil, outcomeUnknown())
		return r
	}
	iq := element.New(ns.Client, "iq").Set("type", kind).Set("id", r.id).Set("to", to).Add(payload)
	if size := len(iq.String()); size > stream.MaxStanza {
		s.reply(r, nil, tooLarge(size))
		return r
	}
	s.requests[r.id] = r
	if !s.waits() {
		s.expect(r)
	}
	s.send(iq)
	return r
}

// reply ends a request.
func (s *session) reply(r *request, iq *element.Element, err *pam.Error) {
	s.forget(r)
	s.report(reply(func() {
		if !r.withdrawn {
			r.done(iq, err)
		}
	}))
}

// withdraw discards a request whose caller no longer waits for the answer.
func (s *session) withdraw(r *request) {
	r.withdrawn = true
	s.forget(r)
}

func (s *session) forget(r *request) {
	r.time.stop()
	delete(s.requests, r.id)
}

// answered matches an iq to a request by id and by sender, because another entity could
// guess an id. It ignores an iq that matches no request.
func (s *session) answered(iq *element.Element) {
	r := s.requests[iq.Attr("id")]
	switch {
	case r == nil || !s.mayAnswer(r.to, iq):
	case iq.Attr("type") == "error":
		s.reply(r, nil, s.requestError(r.to, iq))
	default:
		s.reply(r, iq, nil)
	}
}

// mayAnswer reports whether the sender of iq may answer a request to to. If to is the
// account or its domain, an absent from means the account itself (RFC 6120 §8.1.2.1),
// and servers also use the full JID of this session.
func (s *session) mayAnswer(to string, iq *element.Element) bool {
	from, ok := iq.Lookup("from")
	if !s.isOwnServer(to) {
		return ok && address.Equal(from, to)
	}
	return !ok || s.isOwnServer(from) || address.Equal(from, s.fullJID)
}

// isOwnServer reports whether from is an address that only the account's server can
// use: none, the account's bare JID, or its domain.
func (s *session) isOwnServer(from string) bool {
	return from == "" || address.Equal(from, s.account.String()) || address.Equal(from, s.account.Domain().String())
}

// requestList requests the list, with a version unless version is empty.
func (s *session) requestList(version pam.Version, done func(listsync.ListResult, *pam.Error)) {
	s.ask("get", s.account.String(), listsync.ListRequest(version), func(iq *element.Element, err *pam.Error) {
		if err != nil {
			done(listsync.ListResult{}, err)
			return
		}
		result, bad := s.reader.ParseListResult(iq)
		switch {
		case errors.Is(bad, listsync.ErrNoList):
			done(result, &pam.Error{Code: pam.CodeProtocol, Origin: pam.FromServer, Err: bad,
				Text: "The server's list of subscriptions is invalid: " + bad.Error()})
			return
		case bad != nil:
			s.view.warn(&pam.Error{Code: pam.CodeProtocol, Origin: pam.FromServer, Err: bad,
				Text: "The server's list contains invalid entries, which are not shown: " + bad.Error()})
		}
		done(result, nil)
	})
}

// support is the result of service discovery for PAM.
type support uint8

const (
	supportUnasked support = iota
	supportUnknown         // not answered yet
	supportNo
	supportYes
	supportSilent // will not be answered
)

// discover queries whether the account, or otherwise the domain, supports PAM.
func (s *session) discover(found func(support)) {
	s.discoverAt(s.account.String(), func(account support) {
		if account == supportYes {
			found(account)
			return
		}
		s.discoverAt(s.account.Domain().String(), func(domain support) {
			if domain == supportNo {
				domain = account // A negative answer of the domain does not count if the account did not answer.
			}
			found(domain)
		})
	})
}

// discoverAt queries the features of an entity at the account's server.
func (s *session) discoverAt(to string, found func(support)) {
	s.ask("get", to, disco.Query(), func(iq *element.Element, err *pam.Error) {
		if err == nil && to == s.account.String() {
			s.features = disco.Parse(iq)
		}
		switch {
		case err != nil && (err.Code != pam.CodeStanza || err.Type == "wait" || err.Condition == "internal-server-error"):
			found(supportSilent)
		case err == nil && disco.Parse(iq).Has(ns.PAM):
			found(supportYes)
		default:
			found(supportNo)
		}
	})
}

// transient lists the conditions that describe a temporary state of the server rather
// than an error in the request.
var transient = []string{"internal-server-error", "recipient-unavailable", "remote-server-timeout", "resource-constraint", "service-unavailable"}

// requestError converts an error answer of the entity to. If the request went to the
// account's server, an error without `by` was generated by that server (XEP-0376 §3.2).
func (s *session) requestError(to string, iq *element.Element) *pam.Error {
	p := pubsub.ParseError(iq)
	if p == nil {
		p = &pubsub.Error{Condition: "undefined-condition"}
	}
	if p.By == "" && !s.isOwnServer(to) {
		p.By = to
	}
	e := &pam.Error{
		Code: pam.CodeStanza, Origin: pam.FromServer, By: p.By,
		Type: p.Type, Condition: p.Condition, PubsubCondition: p.PubsubCondition,
		Retryable: p.Type == "wait" || slices.Contains(transient, p.Condition),
	}
	who := "The account's server"
	if p.Origin(s.account) == pubsub.Remote {
		e.Origin, who = pam.FromService, p.By
	}
	e.Text = who + " answered " + p.Condition
	if p.PubsubCondition != "" {
		e.Text += " (" + p.PubsubCondition + ")"
	}
	e.Text += "."
	if p.Text != "" {
		e.Text += " Its text: " + p.Text
	}
	return e
}

// tooLarge returns the error for a stanza of the given size in bytes.
func tooLarge(size int) *pam.Error {
	return ClientError(pam.CodeBadOptions, fmt.Sprintf("The stanza has %d bytes; at most %d are sent, because servers end the connection on more. "+
		"Nothing was sent. Give shorter names or less content.", size, stream.MaxStanza))
}

func timeoutError() *pam.Error {
	return &pam.Error{Code: pam.CodeTimeout, Origin: pam.FromNetwork, Retryable: true,
		Text: "The server did not answer within " + requestTimeout.String() + "."}
}

func outcomeUnknown() *pam.Error {
	return &pam.Error{Code: pam.CodeOutcomeUnknown, Origin: pam.FromNetwork, Retryable: true,
		Text: "The connection ended before the server answered. The next list shows the outcome of the request."}
}
