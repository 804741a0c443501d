package privatepep

import (
	"strings"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

// The names and values of fields of a node's configuration (XEP-0060 §17.4).
const (
	persistItems  = "pubsub#persist_items"
	accessModel   = "pubsub#access_model"
	maxItems      = "pubsub#max_items"
	sendLast      = "pubsub#send_last_published_item"
	notifyRetract = "pubsub#notify_retract"
	publishModel  = "pubsub#publish_model"

	whitelist  = "whitelist"
	publishers = "publishers"
)

func field(name, value string) pam.FormField {
	return pam.FormField{Name: name, Values: []string{value}}
}

// private are the publish-options of every item (XEP-0223 §3), and no other fields: ejabberd
// before 23.10 refuses all others, and Prosody compares notify_retract wrongly.
var private = pam.Form{field(persistItems, "true"), field(accessModel, whitelist)}

// configurations holds those with which a node is created or repaired. If the server
// refuses one, the next one is tried. Openfire accepts only numbers, ejabberd none above
// 1000, and Prosody none above 256; some servers do not know a field at all.
var configurations = [...]pam.Form{
	privateWith(field(maxItems, "max"), field(sendLast, "never"), field(notifyRetract, "true")),
	privateWith(field(maxItems, "1000"), field(sendLast, "never"), field(notifyRetract, "true")),
	privateWith(field(maxItems, "256"), field(sendLast, "never"), field(notifyRetract, "true")),
	privateWith(field(sendLast, "never"), field(notifyRetract, "true")),
	privateWith(field(sendLast, "never")),
	privateWith(),
}

func privateWith(more ...pam.FormField) pam.Form {
	return append(private[:len(private):len(private)], more...)
}

// checkedFor is how long the configuration of a node is relied on. A node that another
// client has deleted is created again by the next publication, private but perhaps with
// room for one item, and servers do not tell everybody of the deletion.
const checkedFor = 10 * time.Minute

// maxChecks is the maximum number of checks and failed preconditions between two
// publications.
const maxChecks = 8

// checkedConfig implements rule 2: it handles the configuration of a node.
func (m *Machine) checkedConfig(r *request, iq *element.Element) {
	n := r.node
	form, err := pubsub.ParseNodeConfig(iq)
	if form == nil && err != nil {
		m.refuse(n, Unreadable, nil)
		return
	}
	if r.stale {
		return // The configuration has perhaps changed since: it is checked again.
	}
	n.checks++
	limit := parseLimit(form.Value(maxItems), m.most(iq))
	low := limit < assumedLimit && limit != n.low && form.Value(maxItems) != "max" || form.Field(maxItems) == nil && !n.sized
	closed := form.Value(accessModel) == whitelist && isTrue(form.Value(persistItems), true) &&
		(form.Field(publishModel) == nil || form.Value(publishModel) == publishers)
	switch {
	case n.submitted && !closed:
		m.unsupported(NotPrivate, nil)
		return
	case !n.submitted && (!closed || low):
		m.firstAttempt(n)
		n.repair = pam.Form{}
		if form.Field(publishModel) != nil {
			n.repair = pam.Form{field(publishModel, publishers)}
		}
		return
	}
	n.private, n.submitted, n.sized, n.checked = true, false, false, m.now
	n.limit, n.low = usable(limit), limit
}

// most returns what max_items=max means: what the form says (XEP-0122 §3.3.3, as Prosody
// does), or what the caller knows.
func (m *Machine) most(iq *element.Element) int {
	x := iq.Child(ns.PubsubOwner, "pubsub").Child(ns.PubsubOwner, "configure").Child(ns.DataForms, "x")
	for f := range x.Elements() {
		if f.Attr("var") == maxItems {
			return parseLimit(f.Child(ns.Validate, "validate").Child(ns.Validate, "range").Attr("max"), m.maxItems)
		}
	}
	return m.maxItems
}

// firstAttempt begins with the first configuration that the server may accept.
func (m *Machine) firstAttempt(n *node) { n.attempt, n.unsure = m.attempt, false }

// accepted handles that the server has accepted a configuration.
func (m *Machine) accepted(n *node) {
	if n.creating = false; !n.unsure {
		m.attempt = n.attempt
	}
	n.sized = !n.unsure || configurations[n.attempt].Field(maxItems) != nil
}

// nextAttempt tries the next configuration.
func (m *Machine) nextAttempt(r *request, err *pubsub.Error) {
	n := r.node
	n.unsure = n.unsure || transient(err)
	switch n.attempt++; {
	case n.attempt < len(configurations):
	case r.kind == configure: // The check then finds out whether the node can be used.
		n.repair, n.submitted = nil, true
	case transient(err):
		n.creating = false
		m.fail(n, err)
	default:
		m.refuse(n, CreationRefused, err)
	}
}

// isTrue parses a boolean.
func isTrue(value string, absent bool) bool {
	switch strings.TrimSpace(value) {
	case "1", "true":
		return true
	case "":
		return absent
	}
	return false
}
