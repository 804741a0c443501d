package client

import (
	"errors"
	"slices"
	"strings"

	"xmpp-pam/sdk/internal/hostmeta"
	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/transport"
)

// maxFollowed is how many times in a row the server may send the client on.
const maxFollowed = 3

// places is what is known of where the server can be reached.
type places struct {
	ordinary hostmeta.Endpoint // zero if it is still to be looked up
	lookUp   bool              // it is looked up, not given, and due
	followTo []string          // hosts that the server may name, in lower case
	followed int               // how many times in a row it was followed
	avoid    string            // where a session was to be resumed, in vain
}

func newPlaces(opts *Options) (places, error) {
	var p places
	for _, host := range opts.FollowTo {
		at, err := hostmeta.ParseEndpoint("wss://" + host)
		if host = strings.ToLower(host); err != nil || at.Host != strings.Trim(host, "[]") {
			return p, clientError(pam.CodeBadOptions, "FollowTo holds "+quote(transport.Show(host))+", which is no host: give names such as node2.example.org, without scheme, port and path.")
		}
		p.followTo = append(p.followTo, at.Host)
	}
	if opts.URL == "" && opts.Fetcher != nil {
		p.lookUp = true
		return p, nil
	}
	at, err := hostmeta.ParseEndpoint(opts.URL)
	switch {
	case opts.URL == "":
		return p, clientError(pam.CodeBadOptions, "URL is missing: give the server's WebSocket endpoint, such as wss://example.org/xmpp-websocket, or a Fetcher to look it up.")
	case errors.Is(err, hostmeta.ErrOpen):
		return p, clientError(pam.CodeTLSRequired, "The URL "+quote(transport.Show(opts.URL))+" is not encrypted: use wss:. Only a loopback host may be reached by ws:.")
	case err != nil:
		return p, clientError(pam.CodeBadOptions, "The URL "+quote(transport.Show(opts.URL))+" is no WebSocket endpoint: give one such as wss://example.org/xmpp-websocket.")
	}
	p.ordinary = at
	return p, nil
}

// locate opens c where it belongs, once that is known.
func (o *owner) locate(c *connection) {
	p := &o.places
	if !p.lookUp {
		c.open(o.choose())
		return
	}
	go func() {
		at, err := hostmeta.Find(c.ctx, o.opts.Fetcher, o.account.Domainpart())
		c.post(func() {
			switch {
			case err == nil:
				p.ordinary, p.lookUp = at, false
			case p.ordinary.URL == "":
				c.end(lookupError(err))
				return
			}
			c.open(o.choose())
		})
	}()
}

// choose returns where the next attempt is to be made. That is the ordinary
// address, unless the session to go on with has a location (XEP-0198 §5) to
// which the server might also send the client by see-other-uri. The XEP means
// a host and port for TCP by it, which says nothing about WebSocket, so only a
// whole address counts. If it fails, the next attempt is an ordinary one.
func (o *owner) choose() hostmeta.Endpoint {
	p := &o.places
	if o.suspended != nil && o.suspended.Location != p.avoid {
		if at, err := p.permit(p.ordinary, o.suspended.Location); err == nil {
			return at
		}
	}
	return p.ordinary
}

// failedAt notes what an attempt that failed says about its address.
func (o *owner) failedAt(c *connection) {
	p := &o.places
	if c.bound {
		return
	}
	p.lookUp = o.opts.URL == ""
	if o.suspended != nil && o.suspended.Location == c.at.URL {
		p.avoid = c.at.URL
	}
}

// goesOn tells whether c may be followed by an attempt elsewhere. An end of the
// session counts as a loss for those who never want to reconnect; before the
// log-in, being sent on is part of connecting.
func (o *owner) goesOn(c *connection) bool { return o.wanted && !(c.bound && o.policy.Off) }

// follow goes where the server at c wants to be reached instead (RFC 7395
// §3.6.1), or reports why not and comes back later to the ordinary address.
//
// It does so before the log-in and in a session alike. Nothing is risked by
// that: the new address is as private as the old one, its certificate is
// checked for a host that the old address has already proved to be, or that
// the program trusts, and the log-in there begins from the start. A server that
// has proved to know the password is no less to be believed than one that has
// not, and a session is how a server is emptied before it is stopped.
//
// see-other-host (RFC 6120 §4.9.3.19) is a host and port for TCP and is not
// followed: the client comes back as after any other stream error.
func (o *owner) follow(c *connection, address string) {
	p := &o.places
	at, err := p.permit(c.at, address)
	if err == nil && p.followed == maxFollowed {
		err = errors.New("it is the fourth time in a row")
	}
	if err != nil {
		o.failedAt(c)
		o.ended(&pam.Error{Code: pam.CodeStream, Origin: pam.FromServer, Retryable: true,
			Text: "The server at " + c.at.String() + " sends this client on to " + quote(transport.Show(address)) + ", which is not followed: " + err.Error() + "."})
		return
	}
	p.followed++
	if next := o.begin(); next != nil {
		next.open(at)
	}
}

// permit returns the address to which a server at from may send the client: at
// the same host, the ordinary one or one in FollowTo, and not less secure.
func (p *places) permit(from hostmeta.Endpoint, address string) (hostmeta.Endpoint, error) {
	at, err := hostmeta.ParseEndpoint(address)
	switch {
	case err != nil:
		return at, errors.New("it is " + err.Error())
	case from.TLS && !at.TLS:
		return at, errors.New("it is less secure than wss:")
	case at.Host != from.Host && at.Host != p.ordinary.Host && !slices.Contains(p.followTo, at.Host):
		return at, errors.New("it is at another host. If you trust " + at.Host + ", name it in the option FollowTo (in JavaScript followTo)")
	}
	return at, nil
}

// lookupError is how a connection ends whose address was not found.
func lookupError(err error) *stream.Error {
	var why *hostmeta.Error
	retry := !errors.As(err, &why) || why.Retry
	return &stream.Error{Code: stream.CodeTransport, Retry: retry, Err: &pam.Error{
		Code: pam.CodeDiscovery, Origin: pam.FromNetwork, Retryable: retry, Err: err,
		Text: err.Error() + ". If you know the address, give it as URL (in JavaScript service)."}}
}
