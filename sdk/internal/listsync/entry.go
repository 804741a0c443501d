package listsync

import (
	"fmt"
	"strings"

	"xmpp-pam/sdk/internal/address"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

// row parses one entry. ok is false if e is not an entry, or is about another
// subscriber. service is that of the parent element, if it has one.
func (r *Reader) row(e *element.Element, service string) (s pam.Subscription, ok bool, err error) {
	var subscription, subscriber, node, ownService string
	var hasNode bool
	for i := range e.Attrs { // one pass, because a list has many entries
		if a := &e.Attrs[i]; a.Name.Space == "" {
			switch a.Name.Local {
			case "subscription":
				subscription = a.Value
			case "jid":
				subscriber = a.Value
			case "service":
				ownService = a.Value
			case "node":
				node, hasNode = a.Value, true
			case "subid":
				s.SubID = a.Value
			}
		}
	}
	switch e.Name.Local {
	case "subscription":
		switch e.Name.Space {
		case ns.PAM, ns.Pubsub, ns.PubsubEvent, ns.PubsubOwner, ns.Client, "":
		default:
			return s, false, nil
		}
		s.State = pubsub.ParseState(subscription)
	case "unsubscribe": // an echo of the request
		if e.Name.Space != ns.Pubsub {
			return s, false, nil
		}
		s.State = pam.StateNone
	default:
		return s, false, nil
	}
	s.JID = r.account
	if subscriber != "" && subscriber != r.account {
		j, err := address.Parse(subscriber)
		if err != nil {
			return s, false, fmt.Errorf("%w: subscriber %q: %v", ErrRow, subscriber, err)
		}
		if j.Bare().String() != r.account {
			return s, false, nil
		}
	}
	if service == "" {
		service = ownService
	}
	if s.Service, err = r.normal(service); err != nil {
		return s, false, fmt.Errorf("%w: service %q: %v", ErrRow, service, err)
	}
	if !hasNode {
		return s, false, fmt.Errorf("%w: no node in an entry for %s", ErrRow, s.Service)
	}
	s.Node = node
	return s, true, nil
}

// detach copies the strings of rows, so that they do not keep the whole stanza in
// memory. One text for all rows costs much less than one for each row.
func detach(rows []pam.Subscription) {
	size := 0
	for i := range rows {
		size += len(rows[i].Node) + len(rows[i].SubID)
	}
	var b strings.Builder
	b.Grow(size)
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
