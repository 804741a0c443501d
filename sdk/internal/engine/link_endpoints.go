package engine

import (
	"errors"
	"slices"

	"xmpp-pam/sdk/internal/hostmeta"
	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
)

// maxFollowed is the maximum number of redirects in a row.
const maxFollowed = 3

// endpoints holds the known endpoints of the server.
type endpoints struct {
	ordinary  hostmeta.Endpoint // zero until it is looked up
	lookupDue bool              // the ordinary endpoint has to be looked up
	followTo  []string          // hosts to which the server may redirect, in lower case
	followed  int               // number of redirects followed in a row
	avoid     string            // location at which a resumption has failed
}

func newEndpoints(cfg *Config) endpoints {
	return endpoints{ordinary: cfg.Endpoint, lookupDue: cfg.Endpoint.URL == "", followTo: cfg.FollowTo}
}

// locate opens c at its endpoint, after looking it up if necessary.
func (l *link) locate(c *connection) {
	p := &l.endpoints
	if !p.lookupDue {
		c.open(p.choose(l.suspended))
		return
	}
	go func() {
		at, err := hostmeta.Find(c.ctx, l.cfg.Fetcher, l.cfg.Account.Domainpart())
		c.post(func() {
			switch {
			case err == nil:
				p.ordinary, p.lookupDue = at, false
			case p.ordinary.URL == "":
				c.end(lookupError(err))
				return
			}
			c.open(p.choose(l.suspended))
		})
	}()
}

// choose returns the endpoint of the next attempt. That is the ordinary endpoint,
// unless the session to resume has a location (XEP-0198 §5) to which the server could
// also redirect the client by see-other-uri. In the XEP a location is a host and port
// for TCP, which do not apply to WebSocket, so only a complete URL counts. If the
// attempt fails, the next one uses the ordinary endpoint.
func (p *endpoints) choose(r *stream.Resumption) hostmeta.Endpoint {
	if r != nil && r.Location != p.avoid {
		if at, err := p.permit(p.ordinary, r.Location); err == nil {
			return at
		}
	}
	return p.ordinary
}

// markFailed records that c failed before a session was bound: the endpoint is looked up
// again, and the location of r, the session to resume, is avoided if c used it.
func (p *endpoints) markFailed(c *connection, cfg *Config, r *stream.Resumption) {
	if c.bound {
		return
	}
	p.lookupDue = cfg.Endpoint.URL == ""
	if r != nil && r.Location == c.at.URL {
		p.avoid = c.at.URL
	}
}

// permit returns the endpoint to which a server at from may redirect the client. It
// must be at the same host, the ordinary host or one in FollowTo, and not less secure.
func (p *endpoints) permit(from hostmeta.Endpoint, address string) (hostmeta.Endpoint, error) {
	at, err := hostmeta.ParseEndpoint(address)
	switch {
	case err != nil:
		return at, errors.New("it is " + err.Error())
	case from.TLS && !at.TLS:
		return at, errors.New("it is not encrypted, unlike this connection")
	case at.Host != from.Host && at.Host != p.ordinary.Host && !slices.Contains(p.followTo, at.Host):
		return at, errors.New("it is at another host. If you trust " + at.Host + ", name it in the option FollowTo (in JavaScript followTo)")
	}
	return at, nil
}

// lookupError returns the error of a connection whose endpoint was not found.
func lookupError(err error) *stream.Error {
	var why *hostmeta.Error
	retry := !errors.As(err, &why) || why.Retry
	return &stream.Error{Code: stream.CodeTransport, Retry: retry, Err: &pam.Error{
		Code: pam.CodeDiscovery, Origin: pam.FromNetwork, Retryable: retry, Err: err,
		Text: err.Error() + ". If you know the address, give it as URL (in JavaScript service)."}}
}
