// Package hostmeta finds the WebSocket endpoint of an XMPP domain in the host
// metadata of its web server (XEP-0156, RFC 6415). It uses transport.Fetcher, so that it
// also runs in a browser.
package hostmeta

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"xmpp-pam/sdk/transport"
)

// lookupTime is the time limit of Find.
const lookupTime = 10 * time.Second

// An Error describes why no endpoint was found.
type Error struct {
	// Text describes the request and the answer in one sentence, without a full stop.
	Text string
	// Retry reports whether a later attempt may succeed: a server did not answer,
	// failed, or could not be reached.
	Retry bool
	// Err is the underlying error, if any.
	Err error
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.Err }

// The documents, in the order in which Find requests them.
var documents = [...]struct {
	path string
	read func(string) ([]link, error)
}{
	{"/.well-known/host-meta.json", readJRD},
	{"/.well-known/host-meta", readXRD},
}

// Find looks up the WebSocket endpoint of domain, the domainpart of a JID, at its web
// server: first in host-meta.json and, if that contains none, in host-meta. Of several
// endpoints it returns the first usable one. It takes 10 seconds at most. Its errors are
// of type *Error.
//
// Find uses https: only, so the domain's certificate authenticates the answer. The
// endpoint may therefore be at any host (XEP-0156 calls this secure delegation, and many
// providers use it). A program that must authenticate at a particular host only sets the
// address instead of looking it up. The endpoint must be wss:; the connection to it is
// verified with the certificate of its own host.
//
// For a loopback domain such as localhost, for which no authority issues certificates,
// Find uses http: instead, and accepts a ws: endpoint on a loopback host.
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
	why := &Error{Text: "The domain " + domain + " does not publish a WebSocket endpoint (XEP-0156)"}
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

// ask looks the endpoint up in one document. The text of its error continues a sentence
// that begins with the address.
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

// choose returns the first usable endpoint.
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
