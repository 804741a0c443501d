//go:build !js

package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

type listAnswer struct {
	Ver  string
	List []controlRow
}

func (l listAnswer) nodes() string {
	var names []string
	for _, row := range l.List {
		names = append(names, row.Node)
	}
	return strings.Join(names, " ")
}

func TestControlIsOffByDefault(t *testing.T) {
	d := startDemo(t, false)
	if res, _ := do(t, "GET", d.origin+"/control/devices", ""); res.StatusCode != http.StatusNotFound {
		t.Errorf("without -control: %s", res.Status)
	}
}

func TestControlLists(t *testing.T) {
	d := startDemo(t, true)
	s := login(t, d.device("Laptop"), "alice", "wonderland")
	var lists [3]listAnswer
	for i, node := range []string{"news", "weather"} {
		d.control(t, "GET", "list?account=alice", "", &lists[i])
		s.pam("s"+node, "subscribe", node)
		s.until("id='s" + node + "'")
	}
	d.control(t, "GET", "list?account=alice", "", &lists[2])
	for i, want := range []string{"", "news", "news weather"} {
		if got := lists[i].nodes(); got != want {
			t.Errorf("list %d is %q, want %q", i, got, want)
		}
	}
	got := lists[1].List[0]
	got.SubID = "" // the server's choice
	if want := (controlRow{Service: "pubsub.localhost", Node: "news", JID: "alice@localhost", State: "subscribed"}); got != want {
		t.Errorf("row %+v, want %+v", got, want)
	}
	var then listAnswer
	d.control(t, "GET", "at?account=alice&ver="+url.QueryEscape(lists[1].Ver), "", &then)
	if then.nodes() != "news" {
		t.Errorf("at %s: %q", lists[1].Ver, then.nodes())
	}

	// A forgotten version is answered with the whole list, a known one is not.
	ask := "<iq xmlns='jabber:client' type='get' id='%'><subscriptions xmlns='urn:xmpp:pam:0' ver='" + lists[1].Ver + "'/></iq>"
	s.send(strings.ReplaceAll(ask, "%", "known"))
	if got := s.until("id='known'"); strings.Contains(got, "subscriptions") {
		t.Errorf("known version: %s", got)
	}
	d.control(t, "POST", "forget?account=alice", "", nil)
	s.send(strings.ReplaceAll(ask, "%", "forgotten"))
	if got := s.until("id='forgotten'"); !strings.Contains(got, "subscriptions") {
		t.Errorf("forgotten version: %s", got)
	}
}

func TestControlHold(t *testing.T) {
	d := startDemo(t, true)
	laptop, phone := login(t, d.device("Laptop"), "alice", "wonderland"), login(t, d.device("Phone"), "alice", "wonderland")
	d.control(t, "POST", "hold?device=Phone&account=alice&contains=notify", "", nil)
	laptop.pam("s", "subscribe", "news")
	laptop.until("<notify")
	laptop.until("id='s'")

	heard := make(chan string, 1)
	go func() {
		_, data, _ := phone.ws.Read(phone.ctx)
		heard <- string(data)
	}()
	phone.send("<iq xmlns='jabber:client' type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
	laptop.send("<iq xmlns='jabber:client' type='get' id='q' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
	laptop.until("id='q'")
	select {
	case xml := <-heard:
		t.Fatalf("the phone heard %s", xml)
	default:
	}
	var released struct{ Released int }
	d.control(t, "POST", "release", "", &released)
	if released.Released != 1 {
		t.Errorf("released %d holds", released.Released)
	}
	if xml := <-heard; !strings.Contains(xml, "<notify") {
		t.Errorf("after the release the phone heard %s first", xml)
	}
	phone.until("id='p'")
}

func TestControlSend(t *testing.T) {
	d := startDemo(t, true)
	laptop, phone := login(t, d.device("Laptop"), "alice", "wonderland"), login(t, d.device("Phone"), "alice", "wonderland")
	var sent struct{ Sent int }
	d.control(t, "POST", "send?device=Phone", "<no xml", &sent)
	if sent.Sent != 1 {
		t.Errorf("sent to %d sessions", sent.Sent)
	}
	if got := phone.until(""); got != "<no xml" {
		t.Errorf("the phone heard %s", got)
	}
	laptop.send("<iq xmlns='jabber:client' type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
	if got := laptop.until(""); !strings.Contains(got, "id='p'") {
		t.Errorf("the laptop heard %s", got)
	}
}

func TestControlServer(t *testing.T) {
	d := startDemo(t, true)
	d.control(t, "POST", "account?name=carol&password=sings", "", nil)
	d.control(t, "POST", "node?name=choir", "", nil)
	d.control(t, "POST", "node?name=board&access=presence", "", nil)
	s := login(t, d.device("Laptop"), "carol", "sings")
	s.send("<iq xmlns='jabber:client' type='set' id='s' to='pubsub.localhost'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='choir' jid='carol@localhost'/></pubsub></iq>")
	s.until("id='s'")
	d.control(t, "POST", "publish?node=choir&id=1", "<song xmlns='urn:example:song'>la</song>", nil)
	s.until("<song")
	if _, body := do(t, "GET", d.device("Laptop").URL+"config.json", ""); !strings.Contains(body, "carol") || !strings.Contains(body, "choir") {
		t.Errorf("the configuration lacks the new account and node: %s", body)
	}
	var log []controlFrame
	d.control(t, "GET", "log", "", &log)
	found := false
	for _, f := range log {
		found = found || f.Out && strings.HasPrefix(f.Session, "carol@localhost/") && strings.Contains(f.XML, "<song")
		if strings.Contains(f.XML, "sings") {
			t.Errorf("a password in the log: %s", f.XML)
		}
	}
	if !found {
		t.Error("the log lacks the published item")
	}
}

func TestControlDevices(t *testing.T) {
	d := startDemo(t, true)
	s := login(t, d.device("Phone"), "bob", "builder")
	var devices []deviceStatus
	d.control(t, "GET", "devices", "", &devices)
	if len(devices) != 2 || devices[0].Name != "Laptop" || devices[1].Name != "Phone" || devices[1].Sockets != 1 {
		t.Fatalf("devices %+v", devices)
	}
	var cut struct{ Cut int }
	d.control(t, "POST", "cut?device=d2", "", &cut)
	if cut.Cut != 1 {
		t.Errorf("cut %d sockets", cut.Cut)
	}
	if _, _, err := s.ws.Read(s.ctx); err == nil {
		t.Error("the socket is still open")
	}
	for on, want := range map[string]bool{"true": true, "false": false} {
		var status deviceStatus
		d.control(t, "POST", "refuse?device=Phone&on="+on, "", &status)
		if status.Refuse != want {
			t.Errorf("on=%s: %+v", on, status)
		}
	}
}

// A slow line delays both directions of a device's sockets, keeps the order, and is no
// narrower than before.
func TestControlSlow(t *testing.T) {
	t.Parallel()
	d := startDemo(t, true)
	slow, fast := login(t, d.device("Laptop"), "alice", "wonderland"), login(t, d.device("Phone"), "alice", "wonderland")
	pings := func(s *session, n int) time.Duration {
		t.Helper()
		start := time.Now()
		for i := range n {
			s.send(fmt.Sprintf("<iq xmlns='jabber:client' type='get' id='p%d' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>", i))
		}
		for i := range n {
			if got := s.until(""); !strings.Contains(got, fmt.Sprintf("id='p%d'", i)) {
				t.Fatalf("answer %d is %s", i, got)
			}
		}
		return time.Since(start)
	}
	const delay = 200 * time.Millisecond
	d.control(t, "POST", "slow?device=Laptop&ms=200", "", nil)
	if took := pings(slow, 1); took < 2*delay {
		t.Errorf("one ping took %v", took)
	}
	if took := pings(slow, 40); took < 2*delay || took > 40*delay/2 {
		t.Errorf("40 pings took %v", took)
	}
	if took := pings(fast, 1); took > 2*delay {
		t.Errorf("at the other device a ping took %v", took)
	}

	// A socket is cut also while it waits.
	d.control(t, "POST", "slow?device=Laptop&ms=5000", "", nil)
	start := time.Now()
	slow.send("<iq xmlns='jabber:client' type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
	d.control(t, "POST", "cut?device=Laptop", "", nil)
	slow.lost()
	for len(d.server.(*memServer).Sessions("alice")) > 1 && time.Since(start) < 5*time.Second {
		time.Sleep(time.Millisecond)
	}
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("the cut took %v", took)
	}
	d.control(t, "POST", "slow?device=Laptop&ms=0", "", nil)
	if took := pings(login(t, d.device("Laptop"), "alice", "wonderland"), 1); took > 2*delay {
		t.Errorf("after the end a ping took %v", took)
	}
}

func TestControlRejects(t *testing.T) {
	d := startDemo(t, true)
	for call, want := range map[string]int{
		"POST cut?device=none":               http.StatusNotFound,
		"POST refuse?device=":                http.StatusNotFound,
		"POST refuse?device=d1&on=perhaps":   http.StatusBadRequest,
		"POST slow?device=none&ms=1":         http.StatusNotFound,
		"POST slow?device=d1":                http.StatusBadRequest,
		"POST slow?device=d1&ms=-1":          http.StatusBadRequest,
		"POST slow?device=d1&ms=5001":        http.StatusBadRequest,
		"POST account?name=alice&password=x": http.StatusBadRequest, // exists
		"POST account?name=&password=":       http.StatusBadRequest,
		"POST node?name=news":                http.StatusBadRequest, // exists
		"POST node?name=n&access=everybody":  http.StatusBadRequest,
		"POST publish?node=none&id=1":        http.StatusBadRequest,
		"GET at?account=alice&ver=never":     http.StatusNotFound,
		"POST hold?contains=x&device=none":   http.StatusNotFound,
		"POST send?device=none":              http.StatusNotFound,
		"GET cut?device=d1":                  http.StatusMethodNotAllowed,
		"GET nothing":                        http.StatusNotFound,
	} {
		method, path, _ := strings.Cut(call, " ")
		if res, body := do(t, method, d.origin+"/control/"+path, "<x/>"); res.StatusCode != want {
			t.Errorf("%s: %s %s, want %d", call, res.Status, body, want)
		}
	}
}

func TestProsody(t *testing.T) {
	needProsody(t)
	d := startDemoAt(t, "prosody", true)
	if _, body := do(t, "GET", d.origin+"/info.json", ""); !strings.Contains(body, "Prosody 0.") {
		t.Errorf("info %s", body)
	}
	laptop, phone := login(t, d.device("Laptop"), "alice", "wonderland"), login(t, d.device("Phone"), "alice", "wonderland")
	laptop.pam("s", "subscribe", "news")
	phone.until("<notify")
	laptop.until("<notify")
	laptop.pam("c", "subscribe", "secret-club")
	if got := laptop.until("<error"); !strings.Contains(got, "pubsub.localhost") {
		t.Errorf("the closed node: %s", got)
	}
	d.control(t, "POST", "cut?device=Phone", "", nil)
	if _, _, err := phone.ws.Read(phone.ctx); err == nil {
		t.Error("the socket is still open")
	}
	login(t, d.device("Phone"), "alice", "wonderland")
	for _, call := range []string{"GET /list?account=alice", "POST /forget?account=alice", "POST /hold?contains=x", "POST /send?device=Phone"} {
		method, path, _ := strings.Cut(call, " ")
		if res, _ := do(t, method, d.origin+"/control"+path, ""); res.StatusCode != http.StatusNotImplemented {
			t.Errorf("%s: %s", call, res.Status)
		}
	}
}
