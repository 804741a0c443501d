package mem

import "strconv"

// Names of the options of a node (XEP-0060 §16.4.3) and of a subscription (§16.4.2)
// that this server acts on.
const (
	optTitle       = "pubsub#title"
	optMaxItems    = "pubsub#max_items"
	optPersist     = "pubsub#persist_items"
	optAccess      = "pubsub#access_model"
	optPublish     = "pubsub#publish_model"
	optSendLast    = "pubsub#send_last_published_item"
	optNotifyItems = "pubsub#deliver_notifications"
	optPayloads    = "pubsub#deliver_payloads"
	optType        = "pubsub#notification_type"
	optDelete      = "pubsub#notify_delete"
	optRetract     = "pubsub#notify_retract"
	optConfig      = "pubsub#notify_config"

	optDeliver = "pubsub#deliver"
	optBody    = "pubsub#include_body"
	optShow    = "pubsub#show-values"
)

// nodeConfig is the configuration form of a node, as Prosody 0.12 sends it, and
// notify_config.
var nodeConfig = layout{nsPubsub + "#node_config", []field{
	{name: optTitle, typ: "text-single", label: "Title"},
	{name: "pubsub#description", typ: "text-single", label: "Description"},
	{name: "pubsub#type", typ: "text-single", label: "The type of node data, usually specified by the namespace of the payload (if any)"},
	{name: optMaxItems, typ: integerOrMax, label: "Max # of items to persist"},
	{name: optPersist, typ: "boolean", label: "Persist items to storage"},
	{name: optAccess, typ: "list-single", label: "Specify the subscriber model", options: []string{"authorize", "open", "presence", "whitelist"}},
	{name: optPublish, typ: "list-single", label: "Specify the publisher model", options: []string{"publishers", "subscribers", "open"}},
	{name: optSendLast, typ: "list-single", options: []string{"never", "on_sub", "on_sub_and_presence"}},
	{name: optNotifyItems, typ: "boolean", label: "Whether to deliver event notifications", value: yes},
	{name: optPayloads, typ: "boolean", label: "Whether to deliver payloads with event notifications", value: yes},
	{name: optType, typ: "list-single", label: "Specify the delivery style for notifications", options: []string{"normal", "headline"}, value: []string{"headline"}},
	{name: optDelete, typ: "boolean", label: "Whether to notify subscribers when the node is deleted", value: yes},
	{name: optRetract, typ: "boolean", label: "Whether to notify subscribers when items are removed from the node", value: yes},
	{name: optConfig, typ: "boolean", label: "Whether to notify subscribers when the node configuration changes", value: no},
}}

// publishOptions is the form of preconditions (XEP-0060 §7.1.5). It has the fields of
// the node's configuration.
var publishOptions = layout{nsPubsub + "#publish-options", nodeConfig.fields}

// subscribeOptions is the form of a subscription's options (XEP-0060 §6.3).
var subscribeOptions = layout{nsPubsub + "#subscribe_options", []field{
	{name: optDeliver, typ: "boolean", label: "Enable delivery?", value: yes},
	{name: optBody, typ: "boolean", label: "Receive message body in addition to payload?", value: no},
	{name: optShow, typ: "list-multi", label: "Presence states in which to receive events",
		options: presenceStates, value: presenceStates},
}}

var presenceStates = []string{"chat", "online", "away", "xa", "dnd"}

// metadata is the form in the service discovery information of a node (XEP-0060 §5.4).
var metadata = layout{nsPubsub + "#meta-data", []field{
	{name: optTitle, typ: "text-single"},
	{name: "pubsub#description", typ: "text-single"},
	{name: "pubsub#type", typ: "text-single"},
	{name: optAccess, typ: "list-single"},
	{name: optPublish, typ: "list-single"},
	{name: "pubsub#creation_date", typ: "text-single"},
	{name: "pubsub#num_subscribers", typ: "text-single"},
}}

var yes, no = []string{"1"}, []string{"0"}

// defaults returns the configuration of new nodes of a service.
func defaults(personal bool, most int) values {
	if personal {
		return values{optMaxItems: {"1"}, optPersist: yes, optAccess: {"presence"}, optPublish: {"publishers"}, optSendLast: {"on_sub_and_presence"}}
	}
	return values{optMaxItems: {strconv.Itoa(most)}, optPersist: yes, optAccess: {"open"}, optPublish: {"publishers"}, optSendLast: {"never"}}
}

// known returns an option of the node's configuration that was set, or that the
// service sets.
func (n *node) known(name string) string {
	if v, ok := n.config[name]; ok {
		return values{name: v}.get(name)
	}
	return n.service.defaults.get(name)
}

// option returns an option of the node's configuration.
func (n *node) option(name string) string {
	if v := n.known(name); v != "" {
		return v
	}
	return value(nodeConfig, name)
}

// value returns the value that a field has unless another one is given.
func value(l layout, name string) string {
	for _, f := range l.fields {
		if f.name == name && len(f.value) > 0 {
			return f.value[0]
		}
	}
	return ""
}

// all returns the node's configuration, as far as it was set.
func (n *node) all() values {
	all := values{}
	for _, source := range []values{n.service.defaults, n.config} {
		for name, v := range source {
			all[name] = v
		}
	}
	return all
}

// limit returns the number of items that the node keeps.
func (n *node) limit(most int) int {
	if limit, err := strconv.Atoi(n.option(optMaxItems)); err == nil {
		return limit
	}
	return most
}

// readConfig reads the configuration of a node from a submitted form.
func (s *Server) readConfig(l layout, x *elem) (values, *stanzaError) {
	config, fault := l.read(x, false)
	switch {
	case fault != nil && fault.field == optAccess:
		return nil, pubsubError("modify", "not-acceptable", "unsupported-access-model")
	case fault != nil:
		return nil, &stanzaError{typ: "modify", cond: "bad-request", text: fault.Error()}
	}
	if limit, err := strconv.Atoi(config.get(optMaxItems)); err == nil && limit > s.cfg.MaxItems {
		return nil, &stanzaError{typ: "modify", cond: "not-acceptable"}
	}
	return config, nil
}

// option returns an option of the subscription.
func (sub subscriber) option(name string) string {
	if v := sub.options.get(name); v != "" {
		return v
	}
	return value(subscribeOptions, name)
}
