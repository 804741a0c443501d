package listsync

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

// The errors of Reader. They are wrapped in errors with details.
var (
	// ErrForged means that a message contained a notify but its sender is neither the
	// account nor its server. The message was dropped; do not answer it.
	ErrForged = errors.New("pam: a notify from somebody who may not send one was dropped")
	// ErrRow means that an entry of a notify or list was left out because it is
	// invalid. The other entries are valid.
	ErrRow = errors.New("pam: an entry was left out")
	// ErrVersion means that a version was too long and was ignored. The notify or list
	// counts as one without a version.
	ErrVersion = errors.New("pam: a version was ignored because it is too long")
	// ErrNoList means that a stanza is not a valid answer to a list request. Treat it
	// as a failed request, never as an empty list.
	ErrNoList = errors.New("pam: not the result of a list request")
)

// ListRequest returns the payload of a list request (XEP-0376 §3.3), for an iq of type
// get to the account's bare JID. An empty version is left out, because an empty ver has
// no meaning in XEP-0376.
func ListRequest(v pam.Version) *element.Element {
	e := element.New(ns.PAM, "subscriptions")
	if v != "" {
		e.Set("ver", string(v))
	}
	return e
}

// SubscribeRequest returns the payload that subscribes the account, a bare
// JID, to a node (XEP-0376 §3.2), for an iq of type set to the account. It uses the
// attribute jid of <pam/>, as the example of XEP-0376 and servers do; the text of
// XEP-0376 calls the attribute service.
func SubscribeRequest(service, node, account string) *element.Element {
	return element.New(ns.PAM, "pam").Set("jid", service).Add(pubsub.Subscribe(node, account))
}

// UnsubscribeRequest returns the payload that ends a subscription (XEP-0376 §3.3, "As
// above", with XEP-0060 §6.2). An empty subid is left out.
func UnsubscribeRequest(service, node, account, subid string) *element.Element {
	return element.New(ns.PAM, "pam").Set("jid", service).Add(pubsub.Unsubscribe(node, account, subid))
}

// A Reader parses the notifies and lists of the account's server. It accepts every
// interpretation of XEP-0376 that servers are known to use, while the requests above
// have the strict form. It caches normalised JIDs, because normalising is slow. It is
// not safe for concurrent use.
type Reader struct {
	account string // bare
	domain  string
	names   map[string]string // raw service -> normalised
}

// maxNames is the maximum number of cached JIDs.
const maxNames = 1 << 14

// NewReader returns a reader for an account. It ignores the resource of account.
func NewReader(account jid.JID) *Reader {
	return &Reader{
		account: account.Bare().String(),
		domain:  account.Domain().String(),
		names:   make(map[string]string),
	}
}

// ParseNotify parses the notifies of an outermost message stanza, in document
// order; most messages have none. Only the account and its server may send notifies:
// from must be absent, the account's bare JID or its domain. A full JID is rejected,
// because other entities can make a client send arbitrary messages (RFC 6121 §2.1.6 and
// XEP-0280 §11 have the same rule). For any other sender the error is ErrForged.
//
// Entries about other subscribers are ignored. If the error is ErrRow or ErrVersion, the
// returned notifies are valid. A notify with an invalid entry has no version, so that a
// later list request returns the full list.
//
// Delayed is set if the message has a delay stamp (XEP-0203). The caller clears it if
// the message was replayed by a resumption.
func (r *Reader) ParseNotify(message *element.Element) ([]Notify, error) {
	if !message.Is(ns.Client, "message") {
		return nil, nil
	}
	var notifies []Notify
	var errs []error
	for n := range message.Elements() {
		if !isPAM(n, "notify") {
			continue
		}
		if !r.accepted(message) {
			return nil, fmt.Errorf("%w: from %q, type %q", ErrForged, message.Attr("from"), message.Attr("type"))
		}
		h := Notify{Delayed: Delayed(message)}
		var err error
		if h.Version, err = version(n); err != nil {
			errs = append(errs, err)
		}
		service := n.Attr("service")
		if service == "" {
			if s, err := r.normal(n.Attr("jid")); err == nil && s != r.account {
				service = s
			}
		}
		for row := range n.Elements() {
			s, ok, err := r.row(row, service)
			if err != nil {
				errs = append(errs, err)
				h.Version = ""
			} else if ok {
				h.Items = append(h.Items, s)
			}
		}
		detach(h.Items)
		notifies = append(notifies, h)
	}
	return notifies, errors.Join(errs...)
}

// Delayed reports whether a stanza has a delay stamp (XEP-0203, or the older XEP-0091).
func Delayed(stanza *element.Element) bool {
	return stanza.Child(ns.Delay, "delay") != nil || stanza.Child(ns.DelayOld, "x") != nil
}

// DelayStamp returns the time at which a delayed stanza was first received (XEP-0203),
// by the clock of the entity that delayed it. It is zero if there is no valid stamp.
func DelayStamp(stanza *element.Element) time.Time {
	at, _ := time.Parse(time.RFC3339, stanza.Child(ns.Delay, "delay").Attr("stamp"))
	return at
}

// ParseListResult parses the iq that answers a list request. The caller must have
// matched its id and sender, and sets Round. A result without <subscriptions/> is an
// empty result, not an empty list (as in RFC 6121 §2.6.3). For anything else that is not
// a list the error is ErrNoList.
//
// If the error is ErrRow or ErrVersion, the returned result is valid. Of entries with
// the same key the last one counts.
func (r *Reader) ParseListResult(iq *element.Element) (ListResult, error) {
	if !iq.Is(ns.Client, "iq") || iq.Attr("type") != "result" {
		return ListResult{}, fmt.Errorf("%w: %s", ErrNoList, describe(iq))
	}
	var list *element.Element
	for e := range iq.Elements() {
		if !isPAM(e, "subscriptions") {
			return ListResult{}, fmt.Errorf("%w: it holds %s", ErrNoList, describe(e))
		}
		if list == nil {
			list = e
		}
	}
	if list == nil {
		return ListResult{}, nil
	}
	var rows []pam.Subscription
	var errs []error
	for e := range list.Elements() {
		s, ok, err := r.row(e, list.Attr("service"))
		if err != nil {
			errs = append(errs, err)
		} else if ok {
			rows = append(rows, s)
		}
	}
	detach(rows)
	v, err := version(list)
	return ListResult{Full: true, List: NewList(rows).Rows(), Version: v}, errors.Join(append(errs, err)...)
}

// believed reports whether the sender of message may send notifies (rule 8). An empty
// from attribute is not a valid sender.
func (r *Reader) accepted(message *element.Element) bool {
	if message.Attr("type") == "error" {
		return false
	}
	from, ok := message.Lookup("from")
	if !ok || from == r.account || from == r.domain {
		return true
	}
	j, err := address.Parse(from)
	if err != nil {
		return false
	}
	from = j.String()
	return from == r.account || from == r.domain
}

// row parses one entry. ok is false if e is not an entry, or is about another
// subscriber. service is that of the parent element, if it has one.
func (r *Reader) row(e *element.Element, service string) (s pam.Subscription, ok bool, err error) {
	switch e.Name.Local {
	case "subscription":
		switch e.Name.Space {
		case ns.PAM, ns.Pubsub, ns.PubsubEvent, ns.PubsubOwner, ns.Client, "":
		default:
			return s, false, nil
		}
		s.State = state(e.Attr("subscription"))
	case "unsubscribe": // an echo of the request
		if e.Name.Space != ns.Pubsub {
			return s, false, nil
		}
		s.State = pam.StateNone
	default:
		return s, false, nil
	}
	s.JID = r.account
	if raw := e.Attr("jid"); raw != "" && raw != r.account {
		j, err := address.Parse(raw)
		if err != nil {
			return s, false, fmt.Errorf("%w: subscriber %q: %v", ErrRow, raw, err)
		}
		if j.Bare().String() != r.account {
			return s, false, nil
		}
	}
	if service == "" {
		service = e.Attr("service")
	}
	if s.Service, err = r.normal(service); err != nil {
		return s, false, fmt.Errorf("%w: service %q: %v", ErrRow, service, err)
	}
	node, ok := e.Lookup("node")
	if !ok {
		return s, false, fmt.Errorf("%w: no node in an entry for %s", ErrRow, s.Service)
	}
	s.Node, s.SubID = node, e.Attr("subid")
	return s, true, nil
}

// detach copies the strings of rows, so that they do not keep the whole stanza in
// memory. One text for all rows costs much less than one for each row.
func detach(rows []pam.Subscription) {
	var b strings.Builder
	for i := range rows {
		b.WriteString(rows[i].Node)
		b.WriteString(rows[i].SubID)
	}
	text := b.String()
	for i := range rows {
		s := &rows[i]
		n, m := len(s.Node), len(s.SubID)
		s.Node, s.SubID, text = text[:n], text[n:n+m], text[n+m:]
	}
}

// state parses a subscription attribute. An absent attribute means subscribed, as in
// older versions of XEP-0060 §6.1.2.
func state(raw string) pam.State {
	switch raw {
	case "", string(pam.StateSubscribed):
		return pam.StateSubscribed
	case string(pam.StateNone), "unsubscribed", "remove", "removed":
		return pam.StateNone
	case string(pam.StatePending):
		return pam.StatePending
	case string(pam.StateUnconfigured):
		return pam.StateUnconfigured
	}
	return pam.State(strings.Clone(raw))
}

// maxVersion is the maximum length of a version, in bytes after escaping: an apostrophe
// has six.
const maxVersion = 1 << 10

// version returns the version of a list or notify. It is cloned, so that it does not keep
// the whole message in memory. XEP-0376 sets no limit; a version that is too long is
// ignored, because it would be stored and sent with every list request.
func version(e *element.Element) (pam.Version, error) {
	v := e.Attr("ver")
	if len(v) <= maxVersion/6 || len(v) <= maxVersion && len(element.New("", "a").Set("v", v).String()) <= maxVersion+len("<a v=''/>") {
		return pam.Version(strings.Clone(v)), nil
	}
	return "", fmt.Errorf("%w: it has more than %d bytes", ErrVersion, maxVersion)
}

// normal returns a JID in its normalised form.
func (r *Reader) normal(raw string) (string, error) {
	if s, ok := r.names[raw]; ok {
		return s, nil
	}
	j, err := address.Parse(raw)
	if err != nil {
		return "", err
	}
	if len(r.names) >= maxNames {
		clear(r.names)
	}
	s := strings.Clone(j.String())
	r.names[strings.Clone(raw)] = s
	return s, nil
}

// isPAM reports whether e is a PAM element. Listings 5 and 6 of XEP-0376 have xml=
// instead of xmlns=, which server authors may have copied.
func isPAM(e *element.Element, local string) bool {
	return e.Is(ns.PAM, local) || (e.Is(ns.Client, local) || e.Is("", local)) && e.Attr("xml") == ns.PAM
}

func describe(e *element.Element) string {
	if e == nil {
		return "nothing"
	}
	return fmt.Sprintf("<%s xmlns='%s' type='%s'/>", e.Name.Local, e.Name.Space, e.Attr("type"))
}
