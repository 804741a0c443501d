package engine

import (
	"context"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
)

// call is like ask, for a request of the program to any entity; an empty to is the
// account. It calls done also if ctx or the session ends, or if there is no session.
func (s *session) call(ctx context.Context, kind, to string, payload *element.Element, done func(*element.Element, *pam.Error)) {
	to, err := s.recipient(to)
	switch {
	case ctx.Err() != nil:
		err = ContextError(ctx)
	case err == nil && !s.usable():
		err = offlineError()
	}
	if err != nil {
		done(nil, err)
		return
	}
	stop := func() bool { return true }
	r := s.ask(kind, to, payload, func(iq *element.Element, err *pam.Error) {
		stop()
		done(iq, err)
	})
	r.lasting = true
	stop = context.AfterFunc(ctx, func() {
		s.post(func() {
			if !r.withdrawn && s.requests[r.id] == r {
				s.withdraw(r)
				done(nil, ContextError(ctx))
			}
		})
	})
}

// sendMessage sends a message stanza of the program.
func (s *session) sendMessage(to, kind string, content []element.Node) *pam.Error {
	to, err := s.recipient(to)
	switch {
	case err != nil:
		return err
	case !s.usable():
		return offlineError()
	}
	message := element.New(ns.Client, "message").Set("to", to).Set("id", randomID())
	if kind != "" {
		message.Set("type", kind)
	}
	message.Children = content
	if len(message.String()) > stream.MaxStanza {
		return tooLarge(len(message.String()))
	}
	s.send(message)
	return nil
}

// recipient returns the normalised address, or the account's if to is empty.
func (s *session) recipient(to string) (string, *pam.Error) {
	if to == "" {
		return s.account.String(), nil
	}
	j, err := address.Parse(to)
	if err != nil {
		return "", &pam.Error{Code: pam.CodeBadJID, Origin: pam.FromClient, Err: err,
			Text: quote(to) + " is not a JID" + DomainProblem(err) + "; use a JID such as pubsub.example.org."}
	}
	return j.String(), nil
}

func offlineError() *pam.Error {
	return &pam.Error{Code: pam.CodeOffline, Origin: pam.FromClient, Retryable: true,
		Text: "The client is not connected. Nothing was sent; connect first."}
}
