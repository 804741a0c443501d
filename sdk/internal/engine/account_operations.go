package engine

import (
	"context"
	"slices"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/disco"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

// An operation is a pending subscribe or unsubscribe. It ends when the committed list
// shows its effect, or when a requested list does not show it, and after callTimeout.
type operation struct {
	subscribe bool
	key       pam.Key
	done      func(*pam.Subscription, error)
	stop      func() bool // stops watching the caller's context
	timer     *timer      // runs until the next step
	requests  []*request

	replied bool       // the server accepted the request, or did not answer
	listed  bool       // the list was requested
	failure *pam.Error // the error to return if the list does not show the effect
	gone    bool       // the service reports that the subscription does not exist

	// remains are the rows that were listed when the request was sent, until they are
	// left out. If gone is set, only they can be meant: the account may have subscribed
	// again since.
	remains []pam.Subscription
}

// operate starts a subscribe or unsubscribe.
func (a *account) operate(ctx context.Context, subscribe bool, t pam.Target, done func(*pam.Subscription, error)) {
	fail := func(err *pam.Error) { done(nil, err) }
	if ctx.Err() != nil {
		fail(ContextError(ctx))
		return
	}
	service, err := address.Parse(t.Service)
	if err != nil || t.Service == "" {
		fail(&pam.Error{Code: pam.CodeBadJID, Origin: pam.FromClient, Err: err,
			Text: "The service " + quote(t.Service) + " is not a JID" + DomainProblem(err) + "; use a JID such as pubsub.example.org."})
		return
	}
	key := pam.Key{Service: service.String(), Node: t.Node, SubID: t.SubID}
	if _, listed := a.find(key); t.Node == "" && (subscribe || !listed) {
		fail(ClientError(pam.CodeBadOptions, "The node is missing: name the node at "+service.String()+"."))
		return
	}
	if a.listing.missing {
		fail(&pam.Error{Code: pam.CodeUnsupported, Origin: pam.FromServer,
			Text: "The account's server does not offer Pubsub Account Management (urn:xmpp:pam:0). Nothing was sent."})
		return
	}
	if !a.session.usable() {
		fail(offlineError())
		return
	}

	op := &operation{subscribe: subscribe, done: done, key: key, remains: a.rows(key)}
	op.failure = &pam.Error{Code: pam.CodeOutcomeUnknown, Origin: pam.FromServer, Retryable: true,
		Text: "The server accepted the request, but its list does not show the effect. Refresh later."}
	a.operations = append(a.operations, op)
	a.overlay.dirty = true
	a.view.setPending(len(a.operations))
	a.showProvisional()
	op.stop = context.AfterFunc(ctx, func() {
		a.post(func() { a.finish(op, nil, ContextError(ctx)) })
	})
	op.timer = a.after(serviceAfter, func() {
		op.timer = a.after(requestTimeout-serviceAfter, func() { a.unanswered(op) })
		if !op.replied && a.session.usable() {
			a.askService(op)
		}
	})

	self := a.cfg.Account.String()
	payload := listsync.SubscribeRequest(op.key.Service, op.key.Node, self)
	if !subscribe {
		payload = listsync.UnsubscribeRequest(op.key.Service, op.key.Node, self, op.key.SubID)
	}
	op.ask(a, "set", self, payload, func(_ *element.Element, err *pam.Error) {
		switch {
		case op.replied: // The outcome already depends on the list.
		case err == nil:
			op.replied = true
			if subscribe && len(a.machine.Dropped()) > 0 {
				a.step(listsync.Drop{Key: key, Undo: true})
			}
			a.settleOperations()
		case err.Code == pam.CodeTimeout:
			a.unanswered(op)
		case !subscribe && isGone(err, key):
			a.nothingLeft(op, err)
		default:
			a.finish(op, nil, err)
		}
	})
}

// ask is like session.ask, for a request that is withdrawn when the operation ends.
func (op *operation) ask(a *account, kind, to string, payload *element.Element, done func(*element.Element, *pam.Error)) {
	op.requests = append(op.requests, a.session.ask(kind, to, payload, done))
}

// unanswered handles a missing answer. It requests the list, which shows the outcome,
// with the same timeout.
func (a *account) unanswered(op *operation) {
	op.timer.stop()
	op.timer = a.after(callTimeout-requestTimeout, func() {
		if a.session.waits() {
			op.failure = outcomeUnknown()
		}
		a.finish(op, nil, op.failure)
	})
	if op.replied {
		return
	}
	op.replied, op.listed = true, true
	if op.failure.Code != pam.CodeStanza { // The service's error is more specific.
		op.failure = timeoutError()
	}
	a.step(listsync.Refresh{})
}

// nothingLeft handles a service's report that the subscription does not exist.
func (a *account) nothingLeft(op *operation, err *pam.Error) {
	op.replied, op.listed, op.gone, op.failure = true, true, true, err
	a.step(listsync.Refresh{})
}

// isGone reports whether an unsubscribe failed because the subscription does not exist,
// which counts as success. A row without a node always counts as such, because no service can be
// asked about it.
func isGone(err *pam.Error, key pam.Key) bool {
	return err.PubsubCondition == "not-subscribed" || err.Condition == "item-not-found" || err.Condition == "gone" ||
		key.Node == "" && err.PubsubCondition == "nodeid-required"
}

// askService queries the service of op for the cause: whether the node exists
// (XEP-0060 §5.3), or whether the subscription still exists (§5.6).
func (a *account) askService(op *operation) {
	query := disco.Query().Set("node", op.key.Node)
	if !op.subscribe {
		query = pubsub.Subscriptions(op.key.Node)
	}
	op.ask(a, "get", op.key.Service, query, func(iq *element.Element, err *pam.Error) {
		switch {
		case op.replied:
		case !op.subscribe && (err == nil && !pubsub.Subscribed(iq, op.key.Node, op.key.SubID, a.cfg.Account) || err != nil && isGone(err, op.key)):
			if err == nil {
				err = &pam.Error{Code: pam.CodeStanza, Origin: pam.FromService, By: op.key.Service, Condition: "unexpected-request", PubsubCondition: "not-subscribed",
					Text: op.key.Service + " reports that there is no such subscription."}
			}
			a.nothingLeft(op, err)
		case err != nil && err.Code == pam.CodeStanza:
			direct := *err
			direct.Text = "The account's server did not answer within " + requestTimeout.String() + ". Asked directly: " + err.Text
			op.failure = &direct
		}
	})
}

// settleOperations ends the operations and refreshes whose outcome the committed list
// shows. It runs after every step of the machine.
func (a *account) settleOperations() {
	for _, op := range slices.Clone(a.operations) {
		if !op.replied || a.machine.Busy() {
			continue // Notifies received before the reply may not be committed yet.
		}
		if s, ok := a.reflects(op); ok {
			a.finish(op, &s, nil)
			continue
		}
		switch {
		case a.machine.Dirty():
		case !op.listed:
			op.listed = true
			a.step(listsync.Refresh{})
			return // The remaining operations are settled after that step.
		case op.gone && a.unremovable(op): // This ends below, once that is committed.
			op.remains = nil
			a.step(listsync.Drop{Key: op.key})
			return
		case op.gone: // The listed rows are newer than the service's report.
			a.finish(op, nil, nil)
		default:
			a.finish(op, nil, op.failure)
		}
	}
	if a.quiet() {
		a.endRefreshes(nil)
	}
}

// unremovable reports whether the server still lists a subscription that, according to
// the service, does not exist, and no row of its key was added or changed since the
// request was sent.
func (a *account) unremovable(op *operation) bool {
	isNew := func(row pam.Subscription) bool { return !slices.Contains(op.remains, row) }
	return !slices.ContainsFunc(a.rows(op.key), isNew) && !slices.ContainsFunc(a.operations, func(other *operation) bool {
		return other.subscribe && other.key.Service == op.key.Service && other.key.Node == op.key.Node
	})
}

// reflects reports whether the committed list shows the effect of op.
func (a *account) reflects(op *operation) (pam.Subscription, bool) {
	found, ok := a.find(op.key)
	return found, ok == op.subscribe
}

// rows returns the committed rows of a key. A key without subid matches all rows of its
// node.
func (a *account) rows(key pam.Key) []pam.Subscription {
	if key.SubID == "" {
		return a.machine.At(key.Service, key.Node)
	}
	if s, ok := a.machine.Get(key); ok {
		return []pam.Subscription{s}
	}
	return nil
}

// find returns the first of the rows of a key.
func (a *account) find(key pam.Key) (pam.Subscription, bool) {
	if rows := a.rows(key); len(rows) > 0 {
		return rows[0], true
	}
	return pam.Subscription{}, false
}

// finish ends an operation, once.
func (a *account) finish(op *operation, s *pam.Subscription, err error) {
	i := slices.Index(a.operations, op)
	if i < 0 {
		return
	}
	a.operations = slices.Delete(a.operations, i, i+1)
	op.stop()
	op.timer.stop()
	for _, r := range op.requests {
		a.session.withdraw(r)
	}
	a.overlay.dirty = true
	a.view.setPending(len(a.operations))
	a.showProvisional()
	op.done(s, err)
}

// failOperations ends the operations of a lost session. stuck reports whether
// resumption failed repeatedly without progress; one of the pending requests may be the
// reason.
func (a *account) failOperations(stuck bool) {
	for _, op := range slices.Clone(a.operations) {
		err := &pam.Error{Code: pam.CodeOutcomeUnknown, Origin: pam.FromNetwork, Retryable: true,
			Text: "The connection ended before the outcome was certain. The next list shows it."}
		switch {
		case op.replied:
		case stuck:
			err = &pam.Error{Code: pam.CodeOutcomeUnknown, Origin: pam.FromNetwork, Text: "The connection ended each time that the request was sent, " +
				"and the server acknowledged nothing. It may not accept such a request. The next list shows the outcome."}
		default:
			err = outcomeUnknown()
		}
		a.finish(op, nil, err)
	}
	a.endRefreshes(&pam.Error{Code: pam.CodeOffline, Origin: pam.FromNetwork, Retryable: true, Text: "The connection ended before the list arrived."})
}

// isOwn reports whether a pending operation explains a change.
func (a *account) isOwn(c pam.Change) bool {
	key := changeKey(c)
	return slices.ContainsFunc(a.operations, func(op *operation) bool {
		return op.subscribe == (c.After != nil) && op.key.Service == key.Service && op.key.Node == key.Node
	})
}

func changeKey(c pam.Change) pam.Key {
	if c.After != nil {
		return c.After.Key
	}
	return c.Before.Key
}
