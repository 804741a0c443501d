package hostmeta

import (
	"errors"
	"strings"

	"xmpp-pam/sdk/internal/ip"
	"xmpp-pam/sdk/transport"
)

// An Endpoint is the address of an XMPP server over WebSocket (RFC 7395) that is
// protected against eavesdropping: its scheme is wss:, or ws: on a loopback host.
type Endpoint struct {
	URL  string // with the scheme in lower case; it may contain secrets: see String
	Host string // in lower case, without port, and without brackets
	TLS  bool   // the scheme is wss:
}

// String returns the address without secrets, as transport.Show does.
func (at Endpoint) String() string { return transport.Show(at.URL) }

// The errors of ParseEndpoint say what the text is.
var (
	ErrNotEndpoint = errors.New("no WebSocket address")
	ErrOpen        = errors.New("not encrypted")
)

// ParseEndpoint parses an absolute ws: or wss: URL without user and fragment. It
// is stricter than net/url, which would add 45 KB to the wasm, and leaves further checks
// to the dialer.
func ParseEndpoint(raw string) (Endpoint, error) {
	for _, r := range raw {
		if r <= ' ' || r >= 0x7f || r == '\\' || r == '#' {
			return Endpoint{}, ErrNotEndpoint
		}
	}
	scheme, rest, _ := strings.Cut(raw, "://")
	authority := rest
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority = rest[:i]
	}
	scheme = strings.ToLower(scheme) // RFC 3986 §3.1; dialers accept only lower case
	at := Endpoint{URL: scheme + "://" + rest, Host: hostOf(authority), TLS: scheme == "wss"}
	switch {
	case at.Host == "" || !at.TLS && scheme != "ws":
		return Endpoint{}, ErrNotEndpoint
	case !at.TLS && !isLoopback(at.Host):
		return Endpoint{}, ErrOpen
	}
	return at, nil
}

// hostOf returns the host of an authority without user. It returns "" if the host is
// neither a name of letters, digits, '-', '.' and '_' nor an address, or if the port is
// not a number, so that every other parser finds the same host.
func hostOf(authority string) string {
	host, port := strings.ToLower(authority), ""
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host, port = host[:i], host[i+1:]
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
		if !strings.Contains(host, ":") || ip.ParseIP(host) == nil {
			return ""
		}
	} else if strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-._") != "" {
		return ""
	}
	if strings.Trim(port, "0123456789") != "" {
		return ""
	}
	return host
}

// isLoopback reports whether host is a loopback name or address.
func isLoopback(host string) bool {
	return strings.EqualFold(host, "localhost") || ip.ParseIP(host).IsLoopback()
}
