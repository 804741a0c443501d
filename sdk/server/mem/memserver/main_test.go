package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"xmpp-pam/sdk/server/mem"
)

func newServer(t *testing.T) *mem.Server {
	t.Helper()
	server, err := mem.New(mem.Config{Accounts: map[string]string{"alice": "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	if err := server.CreateNode("news", ""); err != nil {
		t.Fatal(err)
	}
	return server
}

func TestExecute(t *testing.T) {
	server := newServer(t)
	for _, c := range []struct {
		line  string
		works bool
		items int // of the node news afterwards
	}{
		{"publish news Hello", true, 1},
		{"publish news a < b & ]]> \"c\" \x01", true, 2},
		{"publish news", false, 2},
		{"publish news ", false, 2},
		{"publish other Hello", false, 2},
		{"publish  Hello", false, 2},
		{"dance news Hello", false, 2},
		{"", false, 2},
		{"retract news unknown", false, 2},
		{"retract other", false, 2},
		{"retract news", true, 1},
		{"retract news ", true, 0},
		{"retract news", false, 0},
		{"publish news Again", true, 1},
		{"publish alice@localhost/urn:x:blog/1 Hello", true, 1},
		{"publish alice@localhost/urn:x:blog/1 World", true, 1},
		{"publish bob@localhost/blog Hello", false, 1},
		{"delete other", false, 1},
	} {
		if err := execute(server, c.line); (err == nil) != c.works {
			t.Errorf("%q: %v", c.line, err)
		}
		if items, err := server.Items("", "news"); err != nil || len(items) != c.items {
			t.Errorf("%q: items %q, %v", c.line, items, err)
		}
	}
	if items, err := server.Items("alice", "urn:x:blog/1"); err != nil || len(items) != 1 {
		t.Errorf("personal items %q, %v", items, err)
	}
	for _, line := range []string{"delete alice@localhost/urn:x:blog/1", "delete news xmpp:pubsub.localhost?;node=new"} {
		if err := execute(server, line); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
	if _, err := server.Items("", "news"); err == nil {
		t.Error("the node is still there")
	}
}

func TestPublishEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t)
		ctx, stop := context.WithCancel(t.Context())
		go publishEvery(ctx, server, 5*time.Second, []string{"news", "deleted"})
		time.Sleep(16 * time.Second)
		synctest.Wait()
		if items, err := server.Items("", "news"); err != nil || !slices.Equal(items, []string{"entry-1", "entry-2", "entry-3"}) {
			t.Errorf("%q, %v", items, err)
		}
		stop()
	})
}

// TestRun starts the command as the tests of the package for JavaScript do.
func TestRun(t *testing.T) {
	for _, args := range []string{"-account alice", "-personality none", "-unknown", "-node news -node news", "-addr 127.0.0.1:port", "-domain a@b"} {
		if err := run(t.Context(), strings.Fields(args), strings.NewReader(""), io.Discard); err == nil {
			t.Errorf("%s: it runs", args)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "page.html"), []byte("a page"), 0o600); err != nil {
		t.Fatal(err)
	}
	commands, stdin := io.Pipe()
	stdout, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(t.Context(), append(strings.Fields("-account alice:sec:ret -node news -node club:whitelist -archive -node-archive -offline -rsm -personality prosody -publish-every 1h -dir"), dir), commands, out)
	}()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url := strings.TrimSuffix(strings.TrimPrefix(line, "listening ws"), "\n")
	if err != nil || !strings.HasPrefix(line, "listening ws://127.0.0.1:") {
		t.Fatal(line, err)
	}
	got, err := http.Get("http" + strings.Replace(url, "xmpp-websocket", "page.html", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if body, _ := io.ReadAll(got.Body); string(body) != "a page" {
		t.Errorf("%s: %q", got.Status, body)
	}
	said := ask(t, "ws"+url, "alice", "sec:ret",
		"<iq xmlns='jabber:client' type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
		"<iq xmlns='jabber:client' type='get' id='2' to='pubsub.localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
		"<iq xmlns='jabber:client' type='get' id='3' to='pubsub.localhost'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='club'/></pubsub></iq>")
	for i, parts := range [][]string{{"urn:xmpp:mam:2'", "archives-all-events"}, {"urn:xmpp:mam:2'", "pubsub#rsm'"}, {"closed-node"}} {
		for _, part := range parts {
			if !strings.Contains(said[i], part) {
				t.Errorf("%s has no %s", said[i], part)
			}
		}
	}
	if _, err := io.WriteString(stdin, "publish news Hello\nnonsense\n"); err != nil {
		t.Fatal(err)
	}
	_ = stdin.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// ask logs in, sends requests and returns the answers.
func ask(t *testing.T, url, user, password string, requests ...string) []string {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{Subprotocols: []string{"xmpp"}})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	const open = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>"
	step := func(send string, answers int) (last string) {
		if err := ws.Write(t.Context(), websocket.MessageText, []byte(send)); err != nil {
			t.Fatal(err)
		}
		for range answers {
			_, msg, err := ws.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			last = string(msg)
		}
		return last
	}
	step(open, 2)
	step("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"+base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00"+password))+"</auth>", 1)
	step(open, 2)
	step("<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", 1)
	var out []string
	for _, r := range requests {
		out = append(out, step(r, 1))
	}
	return out
}

func TestSplitNode(t *testing.T) {
	for text, want := range map[string][2]string{
		"news":                          {"news", ""},
		"news:whitelist":                {"news", "whitelist"},
		"urn:xmpp:microblog:0":          {"urn:xmpp:microblog:0", ""},
		"urn:xmpp:microblog:0:presence": {"urn:xmpp:microblog:0", "presence"},
		"n:open":                        {"n", "open"},
		":open":                         {":open", ""},
		"news:authorize:other":          {"news:authorize:other", ""},
	} {
		if name, access := splitNode(text); name != want[0] || access != want[1] {
			t.Errorf("%s: got %q, %q", text, name, access)
		}
	}
}
