package listsync

import (
	"errors"
	"fmt"

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
	ErrForged = errors.New("pam: a notify from an entity that may not send one was dropped")
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
		if !r.maySendNotify(message) {
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
	rows := make([]pam.Subscription, 0, len(list.Children))
	var errs []error
	service := list.Attr("service")
	for e := range list.Elements() {
		s, ok, err := r.row(e, service)
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

// maySendNotify reports whether the sender of message may send notifies (rule 8): the
// account or its server. An empty from attribute is not a valid sender.
func (r *Reader) maySendNotify(message *element.Element) bool {
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
