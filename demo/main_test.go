//go:build !js

package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"xmpp-pam/sdk/server/prosody"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// browser is an HTTP client that keeps no connection open.
var browser = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Timeout:       10 * time.Second,
}

// testPackage writes a placeholder for the built package, and documentation beside it.
func testPackage(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"dist/index.js": "export {}", "dist/worker.js": "", "dist/pam.wasm": "\x00asm plain", "dist/pam.wasm.br": "packed",
		"dist/build-info.json": `{"version":"0.1.0"}`,
		"docs/guide.md":        "# Guide", "docs/page.html": "page", "docs/sub/x.md": "", "docs/sub.md/x": "", "docs/.hidden.md": "", "secret.md": "",
	} {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret.md", filepath.Join(dir, "docs", "link.md")); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "dist")
}

// startDemo runs a demo with the in-memory server on a free port.
func startDemo(t *testing.T, control bool) *demo {
	t.Helper()
	return startDemoAt(t, "mem", control)
}

// eachServer runs a test at the in-memory server and at Prosody. It is parallel, because
// Prosody needs a second to exit.
func eachServer(t *testing.T, test func(t *testing.T, d *demo)) {
	t.Parallel()
	t.Run("mem", func(t *testing.T) { test(t, startDemoAt(t, "mem", false)) })
	t.Run("prosody", func(t *testing.T) {
		t.Parallel()
		needProsody(t)
		test(t, startDemoAt(t, "prosody", false))
	})
}

func needProsody(t *testing.T) {
	t.Helper()
	if err := prosody.Available(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

func startDemoAt(t *testing.T, kind string, control bool) *demo {
	t.Helper()
	files, err := openPackage(testPackage(t))
	if err != nil {
		t.Fatal(err)
	}
	server, err := startServer(t.Context(), kind, slices.Clone(firstAccounts))
	if err != nil {
		t.Fatal(err)
	}
	l, err := listen(0, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDemo(l, server, files, control, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Close()
		files.Close()
	})
	return d
}

// do makes a request and returns the response and its whole body.
func do(t *testing.T, method, url, body string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if r.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	res, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(data)
}

// control calls the control API and fails the test unless it answers 200.
func (d *demo) control(t *testing.T, method, call, body string, into any) {
	t.Helper()
	res, text := do(t, method, d.origin+"/control/"+call, body)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %s", method, call, res.Status, text)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatalf("%s %s: %v in %s", method, call, err, text)
		}
	}
}

// A session is a client logged in through a device's port.
type session struct {
	t   *testing.T
	ctx context.Context
	ws  *websocket.Conn
}

func dial(ctx context.Context, dev *device) (*websocket.Conn, *http.Response, error) {
	url := "ws" + strings.TrimPrefix(dev.URL, "http") + strings.TrimPrefix(socketPath, "/")
	return websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: browser, Subprotocols: []string{"xmpp"}})
}

func login(t *testing.T, dev *device, name, password string) *session {
	t.Helper()
	s := authenticate(t, dev, name, password)
	s.bind()
	return s
}

func authenticate(t *testing.T, dev *device, name, password string) *session {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	ws, _, err := dial(ctx, dev)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.CloseNow() })
	ws.SetReadLimit(16 << 20)
	s := &session{t, ctx, ws}
	open := "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>"
	s.send(open)
	s.until("features>")
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + name + "\x00" + password))
	s.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + plain + "</auth>")
	s.until("<success")
	s.send(open)
	s.until("features>")
	return s
}

// bind makes an available session that has requested the list, and returns the answer.
func (s *session) bind() string {
	s.t.Helper()
	s.send("<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
	s.until("</jid>")
	s.send("<presence xmlns='jabber:client'/>")
	s.send("<iq xmlns='jabber:client' type='get' id='l'><subscriptions xmlns='urn:xmpp:pam:0'/></iq>")
	return s.until("urn:xmpp:pam:0")
}

var (
	nodeName     = regexp.MustCompile(`<subscription [^>]*\bnode=['"]([^'"]+)`)
	versionToken = regexp.MustCompile(`\bver=['"]([^'"]+)`)
)

var smID = regexp.MustCompile(`[ ]id=['"]([^'"]+)`)

// manage starts stream management and returns the id for resumption.
func (s *session) manage() string {
	s.t.Helper()
	s.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
	return smID.FindStringSubmatch(s.until("<enabled"))[1]
}

// resume tries to resume a session and returns the answer.
func (s *session) resume(id string) string {
	s.t.Helper()
	s.send("<resume xmlns='urn:xmpp:sm:3' previd='" + id + "' h='0'/>")
	return s.until("urn:xmpp:sm:3")
}

// archived returns the events in the account's archive.
func (s *session) archived() string {
	s.t.Helper()
	s.send("<iq xmlns='jabber:client' type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>")
	var all strings.Builder
	for {
		xml := s.until("")
		if all.WriteString(xml); strings.Contains(xml, "<fin") {
			return all.String()
		}
	}
}

// lost waits until the socket is closed.
func (s *session) lost() {
	for {
		if _, _, err := s.ws.Read(s.ctx); err != nil {
			if s.ctx.Err() != nil {
				s.t.Error("the socket is still open")
			}
			return
		}
	}
}

func (s *session) send(xml string) {
	s.t.Helper()
	if err := s.ws.Write(s.ctx, websocket.MessageText, []byte(xml)); err != nil {
		s.t.Fatal(err)
	}
}

// until reads up to the first message that contains the text.
func (s *session) until(text string) string {
	s.t.Helper()
	for {
		_, data, err := s.ws.Read(s.ctx)
		if err != nil {
			s.t.Fatalf("waiting for %q: %v", text, err)
		}
		if strings.Contains(string(data), text) {
			return string(data)
		}
	}
}

func (s *session) pam(id, what, node string) {
	s.t.Helper()
	s.send(fmt.Sprintf("<iq xmlns='jabber:client' type='set' id='%s'><pam xmlns='urn:xmpp:pam:0' jid='pubsub.localhost'>"+
		"<%s xmlns='http://jabber.org/protocol/pubsub' node='%s' jid='alice@localhost'/></pam></iq>", id, what, node))
}

// takePort returns a listener that keeps a port taken.
func takePort(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}
