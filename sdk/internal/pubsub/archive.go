package pubsub

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// ErrResult means that a stanza is not a valid answer to the request. Treat it as a
// failed request, never as an empty result.
var ErrResult = errors.New("pubsub: not a result of the request")

// An ArchiveQuery requests messages of an archive (XEP-0313 §4): that of the account, if
// Node is empty and the iq is addressed to it, or that of a node (XEP-0442).
type ArchiveQuery struct {
	QueryID string // the results name it
	Node    string
	With    string // the JID that the messages came from or went to
	// Start and End limit the time (§4.1.2). They are sent in whole seconds, which every
	// server can parse, so that the results may be a little earlier or later.
	Start, End time.Time
	// AfterID and BeforeID limit the ids (§4.1.3). Only a server that announces
	// urn:xmpp:mam:2#extended supports them, while every server supports Page.After,
	// which is also the id of a message. The error is item-not-found if the archive does
	// not keep that message any more.
	AfterID, BeforeID string
	Page              *Page
}

// Element returns the <query/>, for an iq of type set.
func (q ArchiveQuery) Element() *element.Element {
	query := element.New(ns.MAM, "query")
	if q.QueryID != "" {
		query.Set("queryid", q.QueryID)
	}
	if q.Node != "" {
		query.Set("node", q.Node)
	}
	var form pam.Form
	for _, f := range [...]struct{ name, value string }{
		{"with", q.With}, {"start", formatTime(q.Start)}, {"end", formatTime(roundUp(q.End))},
		{"after-id", q.AfterID}, {"before-id", q.BeforeID},
	} {
		if f.value != "" {
			form = append(form, pam.FormField{Name: f.name, Values: []string{f.value}})
		}
	}
	if form != nil {
		query.Add(SubmitForm(ns.MAM, form))
	}
	return query.Add(q.Page.Element())
}

// An ArchiveResult is one message of an archive (XEP-0313 §4.2).
type ArchiveResult struct {
	// Archive is the sender of the outer message, normalised like
	// Notification.Service; it is empty for the account. The caller must check that it is
	// the archive that was queried, and that QueryID is that of a query under way: any
	// entity can send a message that looks like a result.
	Archive string
	QueryID string
	ID      string // of the message in the archive
	// At is when the archive received the message; zero if unknown.
	At time.Time
	// Message is the archived message, or nil if the archive has removed it (§3.2). For
	// an archive of the account, ParseEvent parses it. For an archive of a node, the
	// service of its events is the archive, whatever the message says, and there may be
	// no from at all (XEP-0442 §3).
	Message *element.Element
}

// ParseArchiveResult parses a message that contains a <result/> of an archive. It returns
// nil for any other stanza. The error is ErrSender or ErrLeftOut, and the result then nil.
func ParseArchiveResult(message *element.Element) (*ArchiveResult, error) {
	result := message.Child(ns.MAM, "result")
	if !message.Is(ns.Client, "message") || message.Attr("type") == "error" || result == nil {
		return nil, nil
	}
	archive, err := sender(message)
	if err != nil {
		return nil, err
	}
	r := &ArchiveResult{Archive: archive, QueryID: result.Attr("queryid"), ID: strings.Clone(result.Attr("id"))}
	if len(r.ID) > maxID || len(r.QueryID) > maxID {
		return nil, fmt.Errorf("%w: an archived message whose id is longer than allowed", ErrLeftOut)
	}
	forwarded := result.Child(ns.Forward, "forwarded")
	r.At, r.Message = DelayStamp(forwarded), forwarded.Child(ns.Client, "message")
	return r, nil
}

// An ArchiveEnd ends the results of a query (XEP-0313 §4.3.2).
type ArchiveEnd struct {
	// Complete reports whether there are no more results in the direction of the query.
	Complete bool
	// Unstable reports whether the results may change while they are paged through.
	Unstable bool
	Page     *PageInfo // nil if the archive does not say
}

// ParseArchiveEnd parses the iq that answers an ArchiveQuery. The results themselves come
// before it, as messages. The error is ErrResult.
func ParseArchiveEnd(iq *element.Element) (ArchiveEnd, error) {
	fin, err := payload(iq, ns.MAM, "fin")
	if err != nil {
		return ArchiveEnd{}, err
	}
	return ArchiveEnd{
		Complete: isTrue(fin.Attr("complete")),
		Unstable: isFalse(fin.Attr("stable")),
		Page:     ParsePage(fin),
	}, nil
}

// payload returns the payload of a result iq. The caller must have matched its id and
// sender.
func payload(iq *element.Element, space, local string) (*element.Element, error) {
	e := iq.Child(space, local)
	if e == nil || !iq.Is(ns.Client, "iq") || iq.Attr("type") != "result" {
		return nil, fmt.Errorf("%w: it has no <%s xmlns='%s'/>", ErrResult, local, space)
	}
	return e, nil
}

// formatTime formats a time in whole seconds (XEP-0082); the zero time is empty.
func formatTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02T15:04:05Z")
}

// roundUp rounds a time up to the next second.
func roundUp(at time.Time) time.Time {
	if at.Nanosecond() == 0 {
		return at
	}
	return at.Add(time.Second)
}

// isTrue and isFalse parse an xs:boolean.
func isTrue(text string) bool {
	text = strings.TrimSpace(text)
	return text == "true" || text == "1"
}

func isFalse(text string) bool {
	text = strings.TrimSpace(text)
	return text == "false" || text == "0"
}
