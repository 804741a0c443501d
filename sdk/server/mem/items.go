package mem

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// createNode implements XEP-0060 §8.1. Without a name it generates one.
func (s *Server) createNode(svc *service, r request, op *elem) (*elem, *stanzaError) {
	bare := r.from.Bare().String()
	if svc.owner != "" && svc.owner != bare {
		return nil, forbidden()
	}
	var config values
	if x := r.payload.child(nsPubsub, "configure").child(nsData, "x"); x != nil {
		var err *stanzaError
		if config, err = s.readConfig(nodeConfig, x); err != nil {
			return nil, err
		}
	}
	if svc.owner != "" && s.accounts[svc.owner].like.Public && config.get(optAccess) == "whitelist" {
		return nil, pubsubError("modify", "not-acceptable", "unsupported-access-model")
	}
	name := op.get("node")
	if name == "" {
		name = s.newID("n")
	}
	if _, err := s.create(svc, name, bare, config); err != nil {
		return nil, err
	}
	return wrap(el(nsPubsub, "create", "node", name)), nil
}

// publishItem implements XEP-0060 §7.1 for one item. It creates a personal node that
// does not exist (XEP-0163 §3), with the configuration of the publish options; for
// another node they are preconditions.
func (s *Server) publishItem(svc *service, r request, op *elem) (*elem, *stanzaError) {
	bare := r.from.Bare().String()
	wish, err := s.wishedConfig(r)
	if err != nil {
		return nil, err
	}
	items := op.elems()
	n, err := svc.find(op)
	create := err != nil && op.get("node") != "" && svc.owner == bare
	switch {
	case err != nil && !create:
		return nil, err
	case !create && !n.mayPublish(bare):
		return nil, forbidden()
	case len(items) != 1 || !items[0].is(nsPubsub, "item"):
		return nil, pubsubError("modify", "bad-request", "item-required")
	case len(items[0].elems()) > 1:
		return nil, pubsubError("modify", "bad-request", "invalid-payload")
	}
	if create {
		if n, err = s.create(svc, op.get("node"), bare, wish); err != nil {
			return nil, err
		}
	} else if err := n.meets(wish); err != nil {
		return nil, err
	}
	it := item{id: items[0].get("id"), publisher: bare}
	if it.id == "" {
		it.id = s.newID("i")
	}
	if payload := items[0].elems(); len(payload) == 1 {
		it.payload = payload[0]
	}
	s.publish(n, it)
	return wrap(el(nsPubsub, "publish", "node", n.name).with(el(nsPubsub, "item", "id", it.id))), nil
}

// wishedConfig reads the publish options. ejabberd before version 23.10 knows only some
// of them.
func (s *Server) wishedConfig(r request) (values, *stanzaError) {
	options := r.payload.child(nsPubsub, "publish-options")
	if options == nil {
		return nil, nil
	}
	x, a := options.child(nsData, "x"), s.accounts[r.from.Bare().String()]
	switch {
	case x == nil:
		return nil, badRequest()
	case a != nil && a.like.Public:
		return nil, pubsubError("cancel", "feature-not-implemented", "unsupported")
	}
	wish, err := s.readConfig(publishOptions, x)
	if err == nil && a != nil && a.like.Ejabberd {
		for _, name := range slices.Sorted(maps.Keys(wish)) {
			if name != optAccess && name != optPersist {
				return nil, &stanzaError{typ: "wait", cond: "resource-constraint", text: "Unknown field '" + name + "' of type 'text-single'"}
			}
		}
	}
	return wish, err
}

// meets reports whether the node has the configuration that a publisher requires. As
// at Prosody, an option that was never set and that the service does not set either
// meets no requirement.
func (n *node) meets(wish values) *stanzaError {
	for _, name := range slices.Sorted(maps.Keys(wish)) {
		if n.known(name) != wish.get(name) {
			err := pubsubError("cancel", "conflict", "precondition-not-met")
			err.text = "Field does not match: " + name
			return err
		}
	}
	return nil
}

// retractItem implements XEP-0060 §7.2. It notifies the subscribers if the request
// says so, as Prosody does.
func (s *Server) retractItem(svc *service, r request, op *elem) (*elem, *stanzaError) {
	n, err := svc.find(op)
	if err != nil {
		return nil, err
	}
	bare, item := r.from.Bare().String(), op.child(nsPubsub, "item")
	notify, ok := boolean(op, "notify")
	switch {
	case item == nil || item.get("id") == "":
		return nil, pubsubError("modify", "bad-request", "item-required")
	case !ok:
		return nil, badRequest()
	case n.owner != bare && n.affils[bare] != "publisher" && !n.publishedBy(item.get("id"), bare):
		return nil, forbidden()
	case !s.retract(n, item.get("id"), notify):
		return nil, itemNotFound()
	}
	return nil, nil
}

func (n *node) publishedBy(id, bare string) bool {
	return slices.ContainsFunc(n.items, func(it item) bool { return it.id == id && it.publisher == bare })
}

// items returns items, oldest first: all of them, those named, the newest max_items
// (XEP-0060 §6.5), or a page if Config.RSM is set (§6.5.4).
func (s *Server) items(svc *service, r request, op *elem) (*elem, *stanzaError) {
	n, err := svc.find(op)
	if err == nil {
		err = s.mayRead(n, r.from)
	}
	switch {
	case err != nil:
		return nil, err
	case n.option(optPersist) != "1":
		return nil, unsupported("persistent-items")
	}
	a := s.accounts[r.from.Bare().String()]
	ejabberd := a != nil && a.like.Ejabberd
	p, err := readPage(r.payload)
	if err != nil {
		return nil, err
	}
	chosen := n.items
	if ejabberd {
		chosen = slices.SortedFunc(slices.Values(chosen), func(x, y item) int { return x.created.Compare(y.created) })
	}
	if most, err := strconv.Atoi(op.get("max_items")); ejabberd && err == nil && !p.given {
		p = page{given: true, max: most, last: true}
	}
	var set *elem
	if wanted := op.elems(); len(wanted) > 0 {
		chosen = slices.DeleteFunc(slices.Clone(chosen), func(it item) bool {
			return !slices.ContainsFunc(wanted, func(w *elem) bool { return w.is(nsPubsub, "item") && w.get("id") == it.id })
		})
	} else if p.given && ejabberd {
		chosen, set = p.cutStamps(chosen, s.cfg.MaxItems)
	} else if p.given && s.cfg.RSM {
		names := make([]string, len(chosen))
		for i, it := range chosen {
			names[i] = it.id
		}
		from, to, ok := p.cutNames(names, s.cfg.MaxItems)
		if !ok {
			return nil, itemNotFound()
		}
		chosen, set = chosen[from:to], pageOf(names, from, to)
	} else if text := op.get("max_items"); text != "" {
		count, err := strconv.Atoi(text)
		if err != nil || count < 1 {
			return nil, badRequest()
		}
		chosen = chosen[len(chosen)-min(count, len(chosen)):]
	}
	list := el(nsPubsub, "items", "node", n.name)
	for _, it := range chosen {
		e := el(nsPubsub, "item", "id", it.id).with(it.payload)
		if s.cfg.Publishers {
			e.set("publisher", it.publisher)
		}
		list.with(e)
	}
	return wrap(list).with(set), nil
}

// cutStamps returns a page whose places are the times at which the items were created,
// as at ejabberd, which orders items by them, even if they were published again. A
// place that is no time is later than all items.
func (p page) cutStamps(items []item, most int) ([]item, *elem) {
	after, before := 0, len(items)
	if p.after != "" {
		after = len(items)
		if t, err := time.Parse(time.RFC3339Nano, p.after); err == nil {
			after, _ = slices.BinarySearchFunc(items, t, func(it item, t time.Time) int { return it.created.Compare(t.Add(time.Nanosecond)) })
		}
	}
	if t, err := time.Parse(time.RFC3339Nano, p.before); err == nil {
		before, _ = slices.BinarySearchFunc(items, t, func(it item, t time.Time) int { return it.created.Compare(t) })
	}
	from, to := p.cut(after, max(after, before), most)
	names := make([]string, len(items))
	for i, it := range items {
		names[i] = it.created.Format(stampMicros)
	}
	return items[from:to], pageOf(names, from, to)
}
