package hostmeta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/transport"
)

// A site answers like a web server: with status 404 for what it does not hold.
type site struct {
	bodies map[string]string
	status int   // of every answer, if set
	err    error // of every request, if set
	silent bool
	asked  []string
}

func (s *site) Fetch(ctx context.Context, url string) (transport.Response, error) {
	s.asked = append(s.asked, url)
	body, ok := s.bodies[url]
	switch {
	case s.silent:
		<-ctx.Done()
		return transport.Response{}, ctx.Err()
	case s.err != nil:
		return transport.Response{}, s.err
	case s.status != 0:
		return transport.Response{Status: s.status}, nil
	case !ok:
		return transport.Response{Status: 404}, nil
	}
	return transport.Response{Status: 200, Body: body}, nil
}

const (
	jrd = "https://example.org/.well-known/host-meta.json"
	xrd = "https://example.org/.well-known/host-meta"
)

// xml and jsonOf make documents with the given WebSocket links.
func xml(hrefs ...string) string {
	var b strings.Builder
	for _, h := range hrefs {
		fmt.Fprintf(&b, `<Link rel="urn:xmpp:alt-connections:websocket" href=%q/>`, h)
	}
	return `<?xml version='1.0' encoding='utf-8'?><XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>` + b.String() + `</XRD>`
}

func jsonOf(hrefs ...string) string {
	links := []map[string]string{{"rel": "urn:xmpp:alt-connections:xbosh", "href": "https://example.org/bosh"}}
	for _, h := range hrefs {
		links = append(links, map[string]string{"rel": relWebSocket, "href": h})
	}
	out, _ := json.Marshal(map[string]any{"subject": "x", "links": links})
	return string(out)
}

// examples are those of XEP-0156 §2.3, with something in place of the dots.
const (
	exampleXRD = `<?xml version='1.0' encoding='utf-8'?>
<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>
  <!-- <Link rel="urn:xmpp:alt-connections:websocket" href="wss://old.example.com/ws" /> -->
  <Subject>x</Subject>
  <Link rel="urn:xmpp:alt-connections:xbosh"
        href="https://web.example.com:5280/bosh" />
  <Link rel="urn:xmpp:alt-connections:websocket"
        href="wss://web.example.com:443/ws" />
</XRD>
`
	exampleJRD = `{
  "properties": {"urn:x": null, "n": [1, -2.5e+3, true, false]},
  "links": [
    {"rel": "lrdd", "template": "https://example.com/lrdd?{uri}"},
    {
      "rel": "urn:xmpp:alt-connections:xbosh",
      "href": "https://web.example.com:5280/bosh"
    },
    {
      "rel": "urn:xmpp:alt-connections:websocket",
      "href": "wss://web.example.com:443/ws"
    }
  ]
}
`
)

func TestFind(t *testing.T) {
	deep := strings.Repeat(`[`, 40) + strings.Repeat(`]`, 40)
	tests := []struct {
		name     string
		json, at string            // at is the endpoint found
		xml      string            // requested unless the JSON is sufficient
		why      string            // part of the error's text
		more     map[string]string // other documents
	}{
		{name: "the example in JSON", json: exampleJRD, at: "wss://web.example.com:443/ws"},
		{name: "the example in XML", xml: exampleXRD, at: "wss://web.example.com:443/ws"},
		{name: "JSON counts first", json: jsonOf("wss://a.example/"), xml: xml("wss://b.example/"), at: "wss://a.example/"},
		{name: "JSON without link", json: jsonOf(), xml: xml("wss://b.example/"), at: "wss://b.example/"},
		{name: "JSON with ws only", json: jsonOf("ws://a.example/"), xml: xml("wss://b.example/"), at: "wss://b.example/"},
		{name: "the first that is usable", json: jsonOf("ws://a.example/", "https://b.example/", "wss://c.example/x?y=z", "wss://d.example/"), at: "wss://c.example/x?y=z"},
		{name: "with a byte order mark", json: "\ufeff" + jsonOf("wss://a.example/"), at: "wss://a.example/"},
		{name: "XML with a byte order mark", xml: "\ufeff\n" + exampleXRD, at: "wss://web.example.com:443/ws"},
		{name: "escapes", json: `{"l\u0069nks":[{"rel":"urn:xmpp:alt-connections:\u0077ebsocket","href":"wss:\/\/a.example\/\u0078"}]}`, at: "wss://a.example/x"},
		{name: "prefixes", xml: `<x:XRD xmlns:x='http://docs.oasis-open.org/ns/xri/xrd-1.0'><x:Link rel='urn:xmpp:alt-connections:websocket' href='wss://a.example/'/></x:XRD>`, at: "wss://a.example/"},
		{name: "upper case", json: jsonOf("WSS://A.Example/"), at: "wss://A.Example/"},

		{name: "nothing", why: "host-meta.json was answered with status 404; https://example.org/.well-known/host-meta was answered with status 404"},
		{name: "ws only", json: jsonOf("ws://example.org/"), why: `names "ws://example.org/", which is not encrypted`},
		{name: "ws only in XML", xml: xml("ws://example.org/"), why: `names "ws://example.org/", which is not encrypted`},
		{name: "ws on loopback", json: jsonOf("ws://localhost/"), xml: xml("ws://127.0.0.1/"), why: "not encrypted"},
		{name: "javascript:", json: jsonOf("javascript:alert(1)"), why: "no WebSocket address"},
		{name: "https:", json: jsonOf("https://example.org/"), why: "no WebSocket address"},
		{name: "a path", json: jsonOf("/xmpp-websocket"), why: "no WebSocket address"},
		{name: "no host", json: jsonOf("wss:///ws"), why: "no WebSocket address"},
		{name: "a user", json: jsonOf("wss://a:b@example.org/"), why: "no WebSocket address"},
		{name: "a fragment", json: jsonOf("wss://example.org/#x"), why: "no WebSocket address"},
		{name: "white space", json: jsonOf(" wss://example.org/"), xml: xml("wss://exa\tmple.org/"), why: "no WebSocket address"},
		{name: "a backslash", json: jsonOf(`wss:\\example.org/`), why: "no WebSocket address"},
		{name: "NUL", json: jsonOf("wss://example.org/\x00"), why: "no WebSocket address"},
		{name: "empty", json: jsonOf(""), why: "no WebSocket address"},
		{name: "very long", json: jsonOf(strings.Repeat("é", 1000)), why: `é…", which`},
		{name: "other relations", json: `{"links":[{"rel":"urn:xmpp:alt-connections:websocket2","href":"wss://a/"},{"rel":"x urn:xmpp:alt-connections:websocket","href":"wss://a/"}]}`, why: "names no WebSocket endpoint"},
		{name: "links of other types", json: `{"links":[1,null,"x",[],{"rel":1,"href":{}},{"href":"wss://a/"},{"rel":"urn:xmpp:alt-connections:websocket","href":["wss://a/"]}]}`, why: `names "", which`},
		{name: "links is no array", json: `{"links":{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://a/"}}`, why: "names no WebSocket endpoint"},
		{name: "links elsewhere", json: `{"x":{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://a/"}]}}`, why: "names no WebSocket endpoint"},
		{name: "no object", json: `["links"]`, why: "no object"},
		{name: "HTML", json: "<!doctype html><title>Hello</title>", xml: "<!doctype html><title>Hello</title>", why: "is no host metadata (the document is no JSON); "},
		{name: "XHTML", xml: "<html xmlns='http://www.w3.org/1999/xhtml'/>", why: "no XRD"},
		{name: "empty documents", json: "", xml: " ", why: "is no host metadata"},
		{name: "more after the end", json: jsonOf("wss://a.example/") + "{}", xml: xml("wss://a.example/") + "<a/>", why: "no JSON"},
		{name: "broken off", json: jsonOf("wss://a.example/")[:60], xml: xml("wss://a.example/")[:170], why: "no JSON"},
		{name: "members twice", json: `{"links":[],"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://a/"}]}`, why: "twice"},
		{name: "href twice", json: `{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://a/","\u0068ref":"wss://b/"}]}`, why: "twice"},
		{name: "half a surrogate", json: `{"links":["\ud800x"]}`, why: "surrogate"},
		{name: "no UTF-8", json: "{\"links\":[\"\xff\"]}", xml: xml("wss://a.example/\xff"), why: "not UTF-8"},
		{name: "deep", json: `{"x":` + deep + "," + jsonOf("wss://a.example/")[1:], xml: strings.Repeat("<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>", 1000), why: "too deep"},
		{name: "huge", json: `{"x":"` + strings.Repeat("x", transport.MaxBody) + `",` + jsonOf("wss://a.example/")[1:], why: "more than 64 KiB"},
		{name: "a document type", xml: `<!DOCTYPE XRD [<!ENTITY w "wss://a/">]>` + xml("&w;"), why: "prohibited"},
		{name: "Link of another namespace", xml: `<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'><Link xmlns='x' rel='urn:xmpp:alt-connections:websocket' href='wss://a/'/><a><Link rel='urn:xmpp:alt-connections:websocket' href='wss://a/'/></a></XRD>`, why: "names no WebSocket endpoint"},
		{name: "attributes of another namespace", xml: `<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0' xmlns:x='x'><Link rel='urn:xmpp:alt-connections:websocket' x:href='wss://a/'/></XRD>`, why: `names "", which`},
		{name: "only without encryption", more: map[string]string{"http://example.org/.well-known/host-meta.json": jsonOf("wss://a.example/")}, why: "404"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &site{bodies: map[string]string{}}
			maps.Copy(s.bodies, tt.more)
			if tt.json != "" || tt.name == "empty documents" {
				s.bodies[jrd] = tt.json
			}
			if tt.xml != "" {
				s.bodies[xrd] = tt.xml
			}
			at, err := Find(t.Context(), s, "example.org")
			if tt.at != "" {
				if err != nil || at.URL != tt.at || !at.TLS {
					t.Fatalf("found %+v, %v", at, err)
				}
			} else {
				var why *Error
				if !errors.As(err, &why) || at.URL != "" || why.Retry || !strings.Contains(why.Text, tt.why) || len(why.Text) > 1000 {
					t.Fatalf("found %+v, %v", at, err)
				}
			}
			if want := []string{jrd, xrd}; !slices.Equal(s.asked, want) && !slices.Equal(s.asked, want[:1]) {
				t.Errorf("asked for %q", s.asked)
			}
		})
	}
}

// TestLoopback looks up a domain of this machine: over http:, and ws: is enough.
func TestLoopback(t *testing.T) {
	for _, domain := range []string{"localhost", "127.0.0.1", "[::1]"} {
		s := &site{bodies: map[string]string{"http://" + domain + "/.well-known/host-meta": xml("ws://example.org/", "ws://"+domain+":5280/ws")}}
		at, err := Find(t.Context(), s, domain)
		if err != nil || at.TLS || at.URL != "ws://"+domain+":5280/ws" {
			t.Errorf("%s: %+v, %v", domain, at, err)
		}
	}
}

// TestOutOfOrder has the server fail in ways that may heal, and in others.
func TestOutOfOrder(t *testing.T) {
	reset := errors.New("reset")
	for _, tt := range []struct {
		site  site
		why   string
		retry bool
	}{
		{site{err: reset}, "could not be fetched (reset)", true},
		{site{status: 503}, "status 503", true},
		{site{status: 429}, "status 429", true},
		{site{status: 404}, "status 404", false},
		{site{status: 301}, "status 301", false},
		{site{status: 204}, "status 204", false},
		{site{silent: true}, "was not answered within 10s", true},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, start := tt.site, time.Now()
			_, err := Find(t.Context(), &s, "example.org")
			var why *Error
			if !errors.As(err, &why) || why.Retry != tt.retry || strings.Count(why.Text, tt.why) != len(s.asked) {
				t.Errorf("%v", err)
			}
			if tt.site.err != nil && !errors.Is(err, reset) {
				t.Errorf("%v lacks its cause", err)
			}
			if d := time.Since(start); d > 10*time.Second || s.silent && len(s.asked) != 1 {
				t.Errorf("%d questions took %v", len(s.asked), d)
			}
		})
	}
}

// TestDomains has what would make another address of the question.
func TestDomains(t *testing.T) {
	for _, domain := range []string{"", "a/b", "a?b", "a#b", "a@b", `a\b`, "a%2eb", "a b", "a:443", "[::1]/x"} {
		s := &site{}
		if _, err := Find(t.Context(), s, domain); err == nil || len(s.asked) > 0 {
			t.Errorf("%q: %v after %q", domain, err, s.asked)
		}
	}
}

func TestParseEndpoint(t *testing.T) {
	for _, tt := range []struct {
		raw, host string
		err       error
	}{
		{"wss://example.org/ws", "example.org", nil},
		{"WSS://Example.ORG:443?x", "example.org", nil},
		{"wss://[2001:DB8::1]:5443/ws", "2001:db8::1", nil},
		{"ws://localhost:5280/", "localhost", nil},
		{"ws://127.8.9.1/", "127.8.9.1", nil},
		{"ws://[::1]:80/", "::1", nil},
		{"ws://example.org/", "", ErrOpen},
		{"ws://localhost.example.org/", "", ErrOpen},
		{"ws://127.0.0.1.example.org/", "", ErrOpen},
		{"ws://localhost:80:x/", "", ErrNotEndpoint},
		{"ws://localhost:x/", "", ErrNotEndpoint},
		{"wss://exa%6dple.org/", "", ErrNotEndpoint},
		{"wss://[::1%25lo]/", "", ErrNotEndpoint},
		{"ws://[::1]x/", "", ErrNotEndpoint},
		{"ws://0.0.0.0/", "", ErrOpen},
		{"ws://localhost@example.org/", "", ErrNotEndpoint},
		{"ws://localhost\\@example.org/", "", ErrNotEndpoint},
		{"wss:example.org", "", ErrNotEndpoint},
		{"wss://", "", ErrNotEndpoint},
		{"wss://:443/", "", ErrNotEndpoint},
		{"wss://?", "", ErrNotEndpoint},
		{"//example.org", "", ErrNotEndpoint},
		{"http://localhost/", "", ErrNotEndpoint},
		{"", "", ErrNotEndpoint},
	} {
		at, err := ParseEndpoint(tt.raw)
		if err != tt.err || at.Host != tt.host || err == nil && !strings.EqualFold(at.URL, tt.raw) || err == nil && !strings.HasPrefix(at.URL, "ws") {
			t.Errorf("%q: %+v, %v", tt.raw, at, err)
		}
	}
}
