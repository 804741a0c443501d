package client

import (
	"fmt"

	"xmpp-pam/sdk/element"
	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/pubsub"
	"xmpp-pam/sdk/stream"
)

// A request is an iq that waits for its answer.
type request struct {
	to    string
	done  func(iq *element.Element, err *Error)
	timer *timer
}

// expect gives the server time to answer from now on. While the session waits
// to be resumed nobody can answer, so the time begins anew then.
func (o *owner) expect(id string, r *request) {
	r.timer = o.after(requestTimeout, func() {
		delete(o.requests, id)
		r.done(nil, &Error{Code: CodeTimeout, Origin: FromNetwork, Retryable: true,
			Text: "The server did not answer within " + requestTimeout.String() + "."})
	})
}

// ask sends an iq of type kind to an entity, and calls done once: with the
// result, or with an error of code stanza, timeout, outcome-unknown or, if it is
// too large, bad-options.
func (o *owner) ask(kind, to string, payload *element.Element, done func(*element.Element, *Error)) {
	if o.session == nil {
		done(nil, outcomeUnknown())
		return
	}
	id := randomID()
	iq := element.New(stream.NSClient, "iq").Set("type", kind).Set("id", id).Set("to", to).Add(payload)
	if size := len(iq.String()); size > stream.MaxStanza {
		done(nil, clientError(CodeBadOptions, fmt.Sprintf("The request has %d bytes; at most %d are sent, because servers end the connection on more. "+
			"Nothing was sent. Give shorter names.", size, stream.MaxStanza)))
		return
	}
	r := &request{to: to, done: done}
	o.requests[id] = r
	if o.suspended == nil {
		o.expect(id, r)
	}
	o.send(iq)
}

// answered finds the request that an iq answers: by id and by sender, because
// an id alone could be guessed by a stranger. Whatever fits none is ignored.
func (o *owner) answered(iq *element.Element) {
	id := iq.Attr("id")
	r := o.requests[id]
	if r == nil || !o.mayAnswer(r.to, iq) {
		return
	}
	delete(o.requests, id)
	r.timer.stop()
	if iq.Attr("type") == "error" {
		r.done(nil, o.requestError(iq))
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

// requestError reads an error answer (XEP-0376 §3.2: no `by` means the
// account's server).
func (o *owner) requestError(iq *element.Element) *Error {
	p := pubsub.ParseError(iq)
	if p == nil {
		p = &pubsub.Error{Condition: "undefined-condition"}
	}
	e := &Error{
		Code: CodeStanza, Origin: FromServer, By: p.By,
		Condition: p.Condition, PubsubCondition: p.PubsubCondition,
		Retryable: p.Type == "wait",
	}
	who := "The account's server"
	if p.Origin(o.account) == pubsub.Remote {
		e.Origin, who = FromService, p.By
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
		r.timer.stop()
		r.done(nil, outcomeUnknown())
	}
}

func outcomeUnknown() *Error {
	return &Error{Code: CodeOutcomeUnknown, Origin: FromNetwork, Retryable: true,
		Text: "The connection ended before the server answered. The list will tell what became of the request."}
}
