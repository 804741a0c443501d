// Package hostmeta finds the WebSocket endpoint of an XMPP domain in the host
// metadata of its web server (XEP-0156, RFC 6415), over a small interface, so
// that it runs in a browser as well.
package hostmeta

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"xmpp-pam/sdk/transport"
)

// lookupTime is how long Find takes at most.
const lookupTime = 10 * time.Second

// An Error says why no endpoint was found.
type Error struct {
	// Text says what was asked and what came, in one sentence without its end.
	Text string
	// Retry tells that it may heal by itself: a server was silent, out of
	// order, or not to be reached.
	Retry bool
	// Err is the cause, if another error is.
	Err error
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.Err }

// The documents, in the order in which they are asked for.
var documents = [...]struct {
	path string
	read func(string) ([]link, error)
}{
	{"/.well-known/host-meta.json", readJRD},
	{"/.well-known/host-meta", readXRD},
}

// Find asks the web server of domain, which is the domainpart of a JID, for its
// WebSocket endpoint: first for host-meta.json, then, unless that names one,
// for host-meta. Of several endpoints it takes the first that can be used. It
// takes 10 seconds at most, and its errors are of type *Error.
//
// The question goes over https: only, so the domain's certificate vouches for
// the answer. This is why the endpoint may be at any host (XEP-0156 calls it
// secure delegation, and many providers use it): who must be sure that no other
// host than a certain one sees the log-in gives the address and looks up
// nothing. The endpoint must be wss:, and is itself checked against the
// certificate of its own host.
//
// A loopback domain such as localhost, for which nobody gives certificates, is
// asked over http: instead, and may name a ws: endpoint on a loopback host.
func Find(ctx context.Context, f transport.Fetcher, domain string) (Endpoint, error) {
	if domain == "" || strings.ContainsAny(strings.Trim(domain, "[]"), "/?#@\\% ") ||
		strings.Contains(domain, ":") && !strings.HasPrefix(domain, "[") {
		return Endpoint{}, &Error{Text: "The domain " + strconv.Quote(domain) + " cannot be that of a web server"}
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	local := isLoopback(strings.Trim(domain, "[]"))
	base := "https://" + domain
	if local {
		base = "http://" + domain
	}
	why := &Error{Text: "The domain " + domain + " does not tell its WebSocket endpoint (XEP-0156)"}
	for i, document := range documents {
		address := base + document.path
		at, err := ask(ctx, f, address, document.read, local)
		if err == nil {
			return at, nil
		}
		why.Text += [...]string{": ", "; "}[i] + address + " " + err.Text
		why.Retry = why.Retry || err.Retry
		why.Err = errors.Join(why.Err, err.Err)
		if ctx.Err() != nil {
			break
		}
	}
	return Endpoint{}, why
}

// ask looks into one document. The text of its error goes on from the address.
func ask(ctx context.Context, f transport.Fetcher, address string, read func(string) ([]link, error), local bool) (Endpoint, *Error) {
	response, err := f.Fetch(ctx, address)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return Endpoint{}, &Error{Text: "was not answered within " + lookupTime.String(), Retry: true, Err: ctx.Err()}
	case err != nil:
		return Endpoint{}, &Error{Text: "could not be fetched (" + err.Error() + ")", Retry: true, Err: err}
	case response.Status != 200:
		return Endpoint{}, &Error{Text: "was answered with status " + strconv.Itoa(response.Status),
			Retry: response.Status >= 500 || response.Status == 429}
	case len(response.Body) > transport.MaxBody:
		return Endpoint{}, &Error{Text: "holds more than 64 KiB"}
	}
	links, err := read(strings.TrimPrefix(response.Body, "\ufeff"))
	if err != nil {
		return Endpoint{}, &Error{Text: "is no host metadata (" + err.Error() + ")", Err: err}
	}
	return choose(links, local)
}

// A link is one entry of host metadata.
type link struct{ rel, href string }

// relWebSocket is the relation of links to endpoints (XEP-0156 §2.1).
const relWebSocket = "urn:xmpp:alt-connections:websocket"

// choose returns the first endpoint that can be used.
func choose(links []link, local bool) (Endpoint, *Error) {
	why := &Error{Text: "names no WebSocket endpoint"}
	for _, l := range links {
		if l.rel != relWebSocket {
			continue
		}
		at, err := ParseEndpoint(l.href)
		switch {
		case err == nil && (at.TLS || local):
			return at, nil
		case err == nil:
			err = ErrOpen
		}
		if why.Err == nil {
			why = &Error{Text: "names " + strconv.Quote(transport.Show(l.href)) + ", which is " + err.Error(), Err: err}
		}
	}
	return Endpoint{}, why
}
