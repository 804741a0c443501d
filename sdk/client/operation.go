package client

import (
	"context"
	"slices"
	"sort"
	"time"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/disco"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

// serviceAfter is when the service itself is asked what is wrong, because the
// account's server is silent. A server that hides its services' errors answers
// nothing at all.
const serviceAfter = 5 * time.Second

// An operation is a subscribe or unsubscribe under way. It ends when the
// committed list shows its effect, or when the list has been asked and does
// not, and after twice requestTimeout whatever becomes of the connection: once
// for the answer, and once for the list that decides if there is none.
type operation struct {
	subscribe bool
	key       pam.Key
	done      func(pam.Subscription, error)
	stop      func() bool // ends the watch over the caller's context
	timer     *timer      // of the step that comes next
	requests  []*request

	replied bool       // the server accepted, or its answer was lost
	listed  bool       // the list was asked for
	failure *pam.Error // what to say if the list does not show the effect
	gone    bool       // the service says that there is nothing to unsubscribe from

	// What is listed although the service says so, until it is left out.
	remains []pam.Subscription
}

// operate starts a subscribe or unsubscribe.
func (o *owner) operate(ctx context.Context, subscribe bool, t pam.Target, done func(pam.Subscription, error)) {
	fail := func(err *pam.Error) { done(pam.Subscription{}, err) }
	if ctx.Err() != nil {
		fail(contextError(ctx))
		return
	}
	service, err := address.Parse(t.Service)
	if err != nil || t.Service == "" {
		fail(&pam.Error{Code: pam.CodeBadJID, Origin: pam.FromClient, Err: err,
			Text: "The service " + quote(t.Service) + " is no JID" + why(err) + ": give one such as pubsub.example.org."})
		return
	}
	key := pam.Key{Service: service.String(), Node: t.Node, SubID: t.SubID}
	if _, listed := o.find(key); t.Node == "" && (subscribe || !listed) {
		fail(clientError(pam.CodeBadOptions, "The node is missing: name the node at "+service.String()+"."))
		return
	}
	if len(o.state.Missing) > 0 {
		fail(&pam.Error{Code: pam.CodeUnsupported, Origin: pam.FromServer,
			Text: "The account's server does not offer Pubsub Account Management (urn:xmpp:pam:0). Nothing was sent."})
		return
	}
	if !o.conn.usable() {
		fail(&pam.Error{Code: pam.CodeOffline, Origin: pam.FromClient, Retryable: true,
			Text: "The client is not connected. Nothing was sent; connect first."})
		return
	}

	op := &operation{subscribe: subscribe, done: done, key: key}
	op.failure = &pam.Error{Code: pam.CodeOutcomeUnknown, Origin: pam.FromServer, Retryable: true,
		Text: "The server accepted the request, but its list does not show the effect. Refresh later."}
	o.operations = append(o.operations, op)
	o.overlaid = true
	o.publish()
	o.showProvisional()
	op.stop = context.AfterFunc(ctx, func() {
		o.c.post(func() { o.finish(op, pam.Subscription{}, contextError(ctx)) })
	})
	op.timer = o.after(serviceAfter, func() {
		op.timer = o.after(requestTimeout-serviceAfter, func() { o.unanswered(op) })
		if !op.replied && o.conn.usable() {
			o.askService(op)
		}
	})

	account := o.account.String()
	payload := listsync.SubscribeRequest(op.key.Service, op.key.Node, account)
	if !subscribe {
		payload = listsync.UnsubscribeRequest(op.key.Service, op.key.Node, account, op.key.SubID)
	}
	op.ask(o, "set", account, payload, func(_ *element.Element, err *pam.Error) {
		switch {
		case op.replied: // The list decides already.
		case err == nil:
			op.replied = true
			if subscribe && len(o.machine.Dropped()) > 0 {
				o.step(listsync.Drop{Key: key, Undo: true})
			}
			o.settle()
		case err.Code == pam.CodeTimeout:
			o.unanswered(op)
		case !subscribe && isGone(err, key):
			o.nothingLeft(op, err)
		default:
			o.finish(op, pam.Subscription{}, err)
		}
	})
}

// ask is owner.ask for a request that ends with the operation.
func (op *operation) ask(o *owner, kind, to string, payload *element.Element, done func(*element.Element, *pam.Error)) {
	if r := o.ask(kind, to, payload, done); r != nil {
		op.requests = append(op.requests, r)
	}
}

// unanswered runs when the time for an answer is over: the list decides, and has
// as much time.
func (o *owner) unanswered(op *operation) {
	op.timer.stop()
	op.timer = o.after(requestTimeout, func() {
		if o.suspended != nil {
			op.failure = outcomeUnknown()
		}
		o.finish(op, pam.Subscription{}, op.failure)
	})
	if op.replied {
		return
	}
	op.replied, op.listed = true, true
	if op.failure.Code != pam.CodeStanza { // What the service said is better.
		op.failure = timeoutError()
	}
	o.step(listsync.Refresh{})
}

// nothingLeft runs when the service says that there is nothing to unsubscribe
// from.
func (o *owner) nothingLeft(op *operation, err *pam.Error) {
	op.replied, op.listed, op.gone, op.failure = true, true, true, err
	op.remains = o.rows(op.key)
	o.step(listsync.Refresh{})
}

// isGone reports whether an unsubscribe failed because there is nothing left to
// unsubscribe from (sync rule 10). No service can be asked for a row without a
// node.
func isGone(err *pam.Error, key pam.Key) bool {
	return err.PubsubCondition == "not-subscribed" || err.Condition == "item-not-found" || err.Condition == "gone" ||
		key.Node == "" && err.PubsubCondition == "nodeid-required"
}

// askService asks the service of op what is wrong: whether the node is there
// (XEP-0060 §5.3), or whether there is still a subscription (§5.6).
func (o *owner) askService(op *operation) {
	query := disco.Query().Set("node", op.key.Node)
	if !op.subscribe {
		query = pubsub.Subscriptions(op.key.Node)
	}
	op.ask(o, "get", op.key.Service, query, func(iq *element.Element, err *pam.Error) {
		switch {
		case op.replied:
		case !op.subscribe && (err == nil && !pubsub.Subscribed(iq, op.key.Node, op.key.SubID, o.account) || err != nil && isGone(err, op.key)):
			if err == nil {
				err = &pam.Error{Code: pam.CodeStanza, Origin: pam.FromService, By: op.key.Service, Condition: "unexpected-request", PubsubCondition: "not-subscribed",
					Text: op.key.Service + " says that there is no such subscription."}
			}
			o.nothingLeft(op, err)
		case err != nil && err.Code == pam.CodeStanza:
			told := *err
			told.Text = "The account's server did not answer within " + requestTimeout.String() + ". Asked directly: " + err.Text
			op.failure = &told
		}
	})
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
		switch {
		case o.machine.Dirty():
		case !op.listed:
			op.listed = true
			o.step(listsync.Refresh{})
			return // The rest is settled after that step.
		case op.gone && o.unremovable(op): // This ends below, once that is committed.
			op.remains = nil
			o.step(listsync.Drop{Key: op.key})
			return
		case op.gone: // What is listed is newer than what the service said.
			o.finish(op, pam.Subscription{}, nil)
		default:
			o.finish(op, pam.Subscription{}, op.failure)
		}
	}
	if o.quiet() {
		o.endRefreshes(nil)
	}
}

// unremovable reports whether the server still lists a row of which the service
// says that there is no such subscription, and none that came or changed since.
func (o *owner) unremovable(op *operation) bool {
	isNew := func(row pam.Subscription) bool { return !slices.Contains(op.remains, row) }
	return !slices.ContainsFunc(o.rows(op.key), isNew) && !slices.ContainsFunc(o.operations, func(other *operation) bool {
		return other.subscribe && other.key.Service == op.key.Service && other.key.Node == op.key.Node
	})
}

// quiet tells that the committed list is not about to change.
func (o *owner) quiet() bool {
	return o.machine.Phase() == listsync.Synced && !o.machine.Busy() && !o.machine.Dirty()
}

// reflects tells whether the committed list shows the effect of op.
func (o *owner) reflects(op *operation) (pam.Subscription, bool) {
	found, ok := o.find(op.key)
	return found, ok == op.subscribe
}

// rows are the committed rows of a key; one without subid has all of its node.
func (o *owner) rows(key pam.Key) []pam.Subscription {
	if key.SubID == "" {
		return o.machine.At(key.Service, key.Node)
	}
	if s, ok := o.machine.Get(key); ok {
		return []pam.Subscription{s}
	}
	return nil
}

// find returns the first of the rows of a key.
func (o *owner) find(key pam.Key) (pam.Subscription, bool) {
	if rows := o.rows(key); len(rows) > 0 {
		return rows[0], true
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
	op.timer.stop()
	for _, r := range op.requests {
		o.withdraw(r)
	}
	o.overlaid = true
	o.publish()
	o.showProvisional()
	op.done(s, err)
}

// failOperations ends what a lost session leaves open.
func (o *owner) failOperations() {
	for _, op := range slices.Clone(o.operations) {
		o.finish(op, pam.Subscription{}, &pam.Error{Code: pam.CodeOutcomeUnknown, Origin: pam.FromNetwork, Retryable: true,
			Text: "The connection ended before the outcome was certain. The list will tell."})
	}
	o.endRefreshes(&pam.Error{Code: pam.CodeOffline, Origin: pam.FromNetwork, Retryable: true, Text: "The connection ended before the list came."})
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
	byKey := map[pam.Key]pam.Provisional{}
	for _, s := range o.heard {
		byKey[s.Key] = pam.Provisional{Subscription: s}
	}
	for _, op := range o.operations {
		p := pam.Provisional{Subscription: pam.Subscription{Key: op.key, JID: o.account.String()}, Local: "unsubscribing"}
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
	items := make([]pam.Provisional, 0, len(byKey))
	for _, p := range byKey {
		items = append(items, p)
	}
	sort.Slice(items, func(i, j int) bool { return items[i].Key.Compare(items[j].Key) < 0 })
	o.c.mu.Lock()
	same := slices.Equal(o.c.snapshot.Provisional, items)
	o.c.snapshot.Provisional = items
	o.c.mu.Unlock()
	if !same {
		o.emit(ProvisionalChanged{Items: items})
	}
}
