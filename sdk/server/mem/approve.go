package mem

import "mellium.im/xmpp/jid"

// approval is the form of a request for a subscription (XEP-0060 §8.6).
var approval = layout{nsPubsub + "#subscribe_authorization", []field{
	{name: "pubsub#subid", typ: "hidden"},
	{name: "pubsub#node", typ: "text-single", label: "Node ID"},
	{name: "pubsub#subscriber_jid", typ: "jid-single", label: "Subscriber Address"},
	{name: "pubsub#allow", typ: "boolean", label: "Allow this JID to subscribe to this pubsub node?", value: no},
}}

// requestApproval asks the owner of a node of a pubsub service to approve a
// subscription, in a message of type normal.
func (s *Server) requestApproval(n *node, sub subscriber) {
	owner, err := parseJID(n.owner)
	if err != nil || n.service.owner != "" {
		return
	}
	form := approval.elem("form", values{"pubsub#subid": {sub.subid}, "pubsub#node": {n.name}, "pubsub#subscriber_jid": {sub.jid}})
	form.kids = append([]any{el(nsData, "title").with("PubSub subscriber request"),
		el(nsData, "instructions").with("Choose whether to approve this entity's subscription.")}, form.kids...)
	s.deliver(el(nsClient, "message", "id", s.newID("m"), "from", n.service.jid, "to", n.owner).with(form), owner)
}

// approve handles a message to a pubsub service: the form that an owner has filled in.
// Without a decision the subscription remains pending.
func (s *Server) approve(svc *service, st *elem, from jid.JID) *stanzaError {
	x := st.child(nsData, "x")
	switch {
	case x == nil:
		return unavailable()
	case x.get("type") == "cancel":
		return nil
	}
	answer, fault := approval.read(x, true)
	if fault != nil {
		return &stanzaError{typ: "modify", cond: "bad-request", text: fault.Error()}
	}
	n := svc.nodes[answer.get("pubsub#node")]
	if n == nil {
		return itemNotFound()
	}
	if n.owner != from.Bare().String() {
		return forbidden()
	}
	sub := n.sub(answer.get("pubsub#subscriber_jid"))
	if sub == nil || sub.state != "pending" || answer.get("pubsub#subid") != "" && answer.get("pubsub#subid") != sub.subid {
		return &stanzaError{typ: "cancel", cond: "unexpected-request"}
	}
	state := "none"
	if answer.get("pubsub#allow") == "1" {
		state = "subscribed"
	}
	s.announce(n, s.setState(n, sub.jid, state))
	return nil
}

// announce tells a subscriber the state of its subscription (XEP-0060 §8.8.4).
func (s *Server) announce(n *node, sub subscriber) {
	s.sendEvent(n, sub.jid, event(el(nsPubsubEvent, "subscription", "node", n.name, "jid", sub.jid, "subscription", sub.state, "subid", sub.subid)))
}
