package client

import (
	"fmt"
	"slices"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
)

// A request is an iq that waits for its answer.
type request struct {
	id, to string
	done   func(iq *element.Element, err *pam.Error)
	time   budget
}

// expect lets the time for an answer run. While the session waits to be resumed
// nobody can answer, so it stands still then; no resumption renews it.
func (o *owner) expect(r *request) {
	r.time.run(o, func() {
		delete(o.requests, r.id)
		r.done(nil, timeoutError())
	})
}

// ask sends an iq of type kind to an entity, and calls done once: with the
// result, or with an error of code stanza, timeout, outcome-unknown or, if it is
// too large, bad-options. It
// returns nil if that has happened already.
func (o *owner) ask(kind, to string, payload *element.Element, done func(*element.Element, *pam.Error)) *request {
	if o.session == nil {
		done(nil, outcomeUnknown())
		return nil
	}
	r := &request{id: randomID(), to: to, done: done, time: budget{left: requestTimeout}}
	iq := element.New(ns.Client, "iq").Set("type", kind).Set("id", r.id).Set("to", to).Add(payload)
	if size := len(iq.String()); size > stream.MaxStanza {
		done(nil, clientError(pam.CodeBadOptions, fmt.Sprintf("The request has %d bytes; at most %d are sent, because servers end the connection on more. "+
			"Nothing was sent. Give shorter names.", size, stream.MaxStanza)))
		return nil
	}
	o.requests[r.id] = r
	if o.suspended == nil {
		o.expect(r)
	}
	o.send(iq)
	return r
}

// withdraw forgets a request: nobody waits for its answer any more.
func (o *owner) withdraw(r *request) {
	r.time.timer.stop()
	delete(o.requests, r.id)
}

// answered finds the request that an iq answers: by id and by sender, because
// an id alone could be guessed by a stranger. Whatever fits none is ignored.
func (o *owner) answered(iq *element.Element) {
	id := iq.Attr("id")
	r := o.requests[id]
	if r == nil || !o.mayAnswer(r.to, iq) {
		return
	}
	o.withdraw(r)
	if iq.Attr("type") == "error" {
		r.done(nil, o.requestError(r.to, iq))
		return
	}
	r.done(iq, nil)
}

// mayAnswer tells whether the sender of iq may answer a request to to. For the
// own account and domain an absent from means the account itself (RFC 6120
// §8.1.2.1), and servers also use the full JID of this session.
func (o *owner) mayAnswer(to string, iq *element.Element) bool {
	from, ok := iq.Lookup("from")
	if !o.isOwnServer(to) {
		return ok && address.Equal(from, to)
	}
	return !ok || o.isOwnServer(from) || address.Equal(from, o.session.fullJID)
}

// isOwnServer tells whether only the account's server can send from this
// address: none, the own bare JID, or the domain.
func (o *owner) isOwnServer(from string) bool {
	return from == "" || address.Equal(from, o.account.String()) || address.Equal(from, o.account.Domain().String())
}

// transient are the conditions that say more of the state of a server than of the
// request.
var transient = []string{"internal-server-error", "recipient-unavailable", "remote-server-timeout", "resource-constraint", "service-unavailable"}

// requestError reads an answer of the entity to that is an error (XEP-0376 §3.2:
// no `by` means the account's server, if it was the one that was asked).
func (o *owner) requestError(to string, iq *element.Element) *pam.Error {
	p := pubsub.ParseError(iq)
	if p == nil {
		p = &pubsub.Error{Condition: "undefined-condition"}
	}
	if p.By == "" && !o.isOwnServer(to) {
		p.By = to
	}
	e := &pam.Error{
		Code: pam.CodeStanza, Origin: pam.FromServer, By: p.By,
		Type: p.Type, Condition: p.Condition, PubsubCondition: p.PubsubCondition,
		Retryable: p.Type == "wait" || slices.Contains(transient, p.Condition),
	}
	who := "The account's server"
	if p.Origin(o.account) == pubsub.Remote {
		e.Origin, who = pam.FromService, p.By
	}
	e.Text = who + " answered " + p.Condition
	if p.PubsubCondition != "" {
		e.Text += " (" + p.PubsubCondition + ")"
	}
	e.Text += "."
	if p.Text != "" {
		e.Text += " It says: " + p.Text
	}
	return e
}

// failRequests ends every request whose session is gone.
func (o *owner) failRequests() {
	open := o.requests
	o.requests = map[string]*request{}
	for _, r := range open {
		r.time.timer.stop()
		r.done(nil, outcomeUnknown())
	}
}

func timeoutError() *pam.Error {
	return &pam.Error{Code: pam.CodeTimeout, Origin: pam.FromNetwork, Retryable: true,
		Text: "The server did not answer within " + requestTimeout.String() + "."}
}

func outcomeUnknown() *pam.Error {
	return &pam.Error{Code: pam.CodeOutcomeUnknown, Origin: pam.FromNetwork, Retryable: true,
		Text: "The connection ended before the server answered. The list will tell what became of the request."}
}
