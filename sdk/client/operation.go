package client

import (
	"context"
	"slices"
	"sort"

	"xmpp-pam/sdk/element"
	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/pam"
)

// An operation is a subscribe or unsubscribe under way. It ends when the
// committed list shows its effect, or when the list has been asked and does
// not.
type operation struct {
	subscribe bool
	key       pam.Key
	done      func(pam.Subscription, error)
	stop      func() bool // ends the watch over the caller's context

	replied bool   // the server accepted, or its answer was lost
	listed  bool   // the list was asked for
	failure *Error // what to say if the list does not show the effect
	gone    bool   // the service says that there is nothing to unsubscribe from
}

// operate starts a subscribe or unsubscribe.
func (o *owner) operate(ctx context.Context, subscribe bool, t Target, done func(pam.Subscription, error)) {
	fail := func(err *Error) { done(pam.Subscription{}, err) }
	if ctx.Err() != nil {
		fail(contextError(ctx))
		return
	}
	service, err := address.Parse(t.Service)
	if err != nil || t.Service == "" {
		fail(&Error{Code: CodeBadJID, Origin: FromClient, Err: err,
			Text: "The service " + quote(t.Service) + " is no JID" + why(err) + ": give one such as pubsub.example.org."})
		return
	}
	if t.Node == "" {
		fail(clientError(CodeBadOptions, "The node is missing: name the node at "+service.String()+"."))
		return
	}
	if len(o.state.Missing) > 0 {
		fail(&Error{Code: CodeUnsupported, Origin: FromServer,
			Text: "The account's server does not offer Pubsub Account Management (urn:xmpp:pam:0). Nothing was sent."})
		return
	}
	if !o.conn.usable() {
		fail(&Error{Code: CodeOffline, Origin: FromClient, Retryable: true,
			Text: "The client is not connected. Nothing was sent; connect first."})
		return
	}

	op := &operation{subscribe: subscribe, done: done, key: pam.Key{Service: service.String(), Node: t.Node, SubID: t.SubID}}
	op.failure = &Error{Code: CodeOutcomeUnknown, Origin: FromServer, Retryable: true,
		Text: "The server accepted the request, but its list does not show the effect. Refresh later."}
	o.operations = append(o.operations, op)
	o.overlaid = true
	o.publish()
	o.showProvisional()
	op.stop = context.AfterFunc(ctx, func() {
		o.c.post(func() { o.finish(op, pam.Subscription{}, contextError(ctx)) })
	})

	account := o.account.String()
	payload := pam.SubscribeRequest(op.key.Service, op.key.Node, account)
	if !subscribe {
		payload = pam.UnsubscribeRequest(op.key.Service, op.key.Node, account, op.key.SubID)
	}
	o.ask("set", account, payload, func(_ *element.Element, err *Error) {
		switch {
		case err == nil:
			op.replied = true
			o.settle()
		case err.Code == CodeTimeout, !subscribe && isGone(err):
			op.replied, op.listed, op.failure, op.gone = true, true, err, isGone(err)
			o.step(pam.Refresh{})
		default:
			o.finish(op, pam.Subscription{}, err)
		}
	})
}

// isGone tells whether an unsubscribe failed because there is nothing left to
// unsubscribe from (sync rule 10).
func isGone(err *Error) bool {
	return err.PubsubCondition == "not-subscribed" || err.Condition == "item-not-found" || err.Condition == "gone"
}

// settle ends the operations and refreshes that the committed list decides. It
// runs after every step of the machine.
func (o *owner) settle() {
	for _, op := range slices.Clone(o.operations) {
		if !op.replied || o.machine.Busy() {
			continue // What was heard before the reply may not be committed yet.
		}
		if s, ok := o.reflects(op); ok {
			o.finish(op, s, nil)
			continue
		}
		if o.machine.Dirty() {
			continue
		}
		if op.gone { // What is listed all the same cannot be helped, or is newer.
			o.finish(op, pam.Subscription{}, nil)
			continue
		}
		if op.listed {
			o.finish(op, pam.Subscription{}, op.failure)
			continue
		}
		op.listed = true
		o.step(pam.Refresh{})
		return // The rest is settled after that step.
	}
	if o.quiet() && len(o.refreshes) > 0 {
		waiting := o.refreshes
		o.refreshes = nil
		for _, reply := range waiting {
			reply(nil)
		}
	}
}

// quiet tells that the committed list is not about to change.
func (o *owner) quiet() bool {
	return o.machine.Phase() == pam.Synced && !o.machine.Busy() && !o.machine.Dirty()
}

// reflects tells whether the committed list shows the effect of op.
func (o *owner) reflects(op *operation) (pam.Subscription, bool) {
	found, ok := o.find(op.key)
	return found, ok == op.subscribe
}

// find looks a subscription up; a key without subid finds any to its node.
func (o *owner) find(key pam.Key) (pam.Subscription, bool) {
	if s, ok := o.machine.Get(key); ok || key.SubID != "" {
		return s, ok
	}
	if all := o.machine.At(key.Service, key.Node); len(all) > 0 {
		return all[0], true
	}
	return pam.Subscription{}, false
}

// finish ends an operation, once.
func (o *owner) finish(op *operation, s pam.Subscription, err error) {
	i := slices.Index(o.operations, op)
	if i < 0 {
		return
	}
	o.operations = slices.Delete(o.operations, i, i+1)
	op.stop()
	o.overlaid = true
	o.publish()
	o.showProvisional()
	op.done(s, err)
}

// failOperations ends what a lost session leaves open.
func (o *owner) failOperations() {
	for _, op := range slices.Clone(o.operations) {
		o.finish(op, pam.Subscription{}, &Error{Code: CodeOutcomeUnknown, Origin: FromNetwork, Retryable: true,
			Text: "The connection ended before the outcome was certain. The list will tell."})
	}
	waiting := o.refreshes
	o.refreshes = nil
	for _, reply := range waiting {
		reply(&Error{Code: CodeOffline, Origin: FromNetwork, Retryable: true, Text: "The connection ended before the list came."})
	}
}

// refresh asks for the list.
func (o *owner) refresh(full bool, reply func(error)) {
	if !o.conn.usable() {
		reply(&Error{Code: CodeOffline, Origin: FromClient, Retryable: true,
			Text: "The client is not connected. Nothing was sent; connect first."})
		return
	}
	if len(o.state.Missing) > 0 {
		reply(&Error{Code: CodeUnsupported, Origin: FromServer,
			Text: "The account's server does not offer Pubsub Account Management (urn:xmpp:pam:0)."})
		return
	}
	o.refreshes = append(o.refreshes, reply)
	o.step(pam.Refresh{Full: full})
}

// isOwn tells whether an operation under way explains a change.
func (o *owner) isOwn(c pam.Change) bool {
	key := changeKey(c)
	return slices.ContainsFunc(o.operations, func(op *operation) bool {
		return op.subscribe == (c.After != nil) && op.key.Service == key.Service && op.key.Node == key.Node
	})
}

// showProvisional announces the layer over the committed list: what the
// machine heard, and over it the operations under way.
func (o *owner) showProvisional() {
	if !o.overlaid {
		return
	}
	o.overlaid = false
	byKey := map[pam.Key]Provisional{}
	for _, s := range o.heard {
		byKey[s.Key] = Provisional{Subscription: s}
	}
	for _, op := range o.operations {
		p := Provisional{Subscription: pam.Subscription{Key: op.key, JID: o.account.String()}, Local: "unsubscribing"}
		if found, ok := o.find(op.key); ok {
			p.Subscription = found
		}
		if op.subscribe {
			p.Local = "subscribing"
			if p.State == "" {
				p.State = pam.StatePending
			}
		} else if p.State == "" {
			continue
		}
		byKey[p.Key] = p
	}
	items := make([]Provisional, 0, len(byKey))
	for _, p := range byKey {
		items = append(items, p)
	}
	sort.Slice(items, func(i, j int) bool { return items[i].Key.Less(items[j].Key) })
	o.c.mu.Lock()
	same := slices.Equal(o.c.snapshot.Provisional, items)
	o.c.snapshot.Provisional = items
	o.c.mu.Unlock()
	if !same {
		o.emit(ProvisionalChanged{Items: items})
	}
}
