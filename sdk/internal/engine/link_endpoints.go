package engine

import (
	"errors"
	"slices"

	"xmpp-pam/sdk/internal/hostmeta"
	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
)

// maxFollowed is how many times in a row the server may send the client on.
const maxFollowed = 3

// endpoints is what is known of where the server can be reached.
type endpoints struct {
	ordinary  hostmeta.Endpoint // zero if it is still to be looked up
	lookupDue bool              // it is looked up, not given, and due
	followTo  []string          // hosts that the server may name, in lower case
	followed  int               // how many times in a row it was followed
	avoid     string            // where a session was to be resumed, in vain
}

func newEndpoints(cfg *Config) endpoints {
	return endpoints{ordinary: cfg.Endpoint, lookupDue: cfg.Endpoint.URL == "", followTo: cfg.FollowTo}
}

// locate opens c where it belongs, once that is known.
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

// choose returns where the next attempt is to be made. That is the ordinary
// address, unless the session to resume has a location (XEP-0198 §5) to
// which the server might also send the client by see-other-uri. The XEP means
// a host and port for TCP by it, which says nothing about WebSocket, so only a
// whole address counts. If it fails, the next attempt is an ordinary one.
func (p *endpoints) choose(r *stream.Resumption) hostmeta.Endpoint {
	if r != nil && r.Location != p.avoid {
		if at, err := p.permit(p.ordinary, r.Location); err == nil {
			return at
		}
	}
	return p.ordinary
}

// markFailed notes what the end of c says about its address, if it was to resume r.
func (p *endpoints) markFailed(c *connection, cfg *Config, r *stream.Resumption) {
	if c.bound {
		return
	}
	p.lookupDue = cfg.Endpoint.URL == ""
	if r != nil && r.Location == c.at.URL {
		p.avoid = c.at.URL
	}
}

// permit returns the address to which a server at from may send the client: at
// the same host, the ordinary one or one in FollowTo, and not less secure.
func (p *endpoints) permit(from hostmeta.Endpoint, address string) (hostmeta.Endpoint, error) {
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
