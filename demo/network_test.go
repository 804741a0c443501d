//go:build !js

package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestUnplug(t *testing.T) {
	d := startDemo(t, false)
	laptop, phone := d.device("Laptop"), d.device("Phone")
	cut, kept := login(t, laptop, "alice", "wonderland"), login(t, phone, "alice", "wonderland")
	if laptop.status().Sockets != 1 || phone.status().Sockets != 1 {
		t.Fatalf("before: %+v %+v", laptop.status(), phone.status())
	}
	do(t, "POST", d.origin+"/devices/d1/unplug", "")
	if _, _, err := cut.ws.Read(cut.ctx); err == nil {
		t.Error("the socket is still open")
	}
	if _, res, err := dial(t.Context(), laptop); err == nil || res == nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("dialling an unplugged device: %v %v", res, err)
	}
	if res, _ := do(t, "GET", laptop.URL, ""); res.StatusCode != http.StatusOK {
		t.Errorf("files of an unplugged device: %s", res.Status)
	}
	kept.send("<iq xmlns='jabber:client' type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
	kept.until("id='p'")

	do(t, "POST", d.origin+"/devices/d1/plug", "")
	login(t, laptop, "alice", "wonderland")
	if got := laptop.status(); got.Sockets != 1 || got.Refuse {
		t.Errorf("after: %+v", got)
	}
}

func TestCut(t *testing.T) {
	d := startDemo(t, false)
	cut, kept := login(t, d.device("Laptop"), "alice", "wonderland"), login(t, d.device("Phone"), "alice", "wonderland")
	id := cut.manage()
	if res, body := do(t, "POST", d.origin+"/devices/d1/cut", ""); res.StatusCode != http.StatusOK || !strings.Contains(body, `"cut":1`) {
		t.Errorf("%s %s", res.Status, body)
	}
	cut.lost()
	kept.pam("s", "subscribe", "news")
	kept.until("id='s'")
	again := authenticate(t, d.device("Laptop"), "alice", "wonderland")
	if got := again.resume(id); !strings.HasPrefix(got, "<resumed") {
		t.Fatalf("after the cut: %s", got)
	}
	again.until("<notify")
}

// A session that is ended cannot be resumed, also if its line was cut long before and if
// it was resumed in between; what it did not receive is in the archive.
func TestUnplugEndsSessions(t *testing.T) {
	eachServer(t, func(t *testing.T, d *demo) {
		laptop := d.device("Laptop")
		s := login(t, laptop, "alice", "wonderland")
		s.pam("s", "subscribe", "news")
		s.until("type='result'")
		ended := s.manage()
		other := login(t, d.device("Phone"), "alice", "wonderland")
		kept := other.manage()

		do(t, "POST", d.origin+"/devices/d1/cut", "")
		s.lost()
		again := authenticate(t, laptop, "alice", "wonderland")
		if got := again.resume(ended); !strings.HasPrefix(got, "<resumed") {
			t.Fatalf("after the cut: %s", got)
		}
		if got := laptop.line.sessions(); len(got) != 1 || !strings.HasPrefix(got[0], "alice@localhost/") {
			t.Errorf("sessions of the line: %q", got)
		}
		do(t, "POST", d.origin+"/devices/d1/unplug", "")
		again.lost()
		do(t, "POST", d.origin+"/publish?node=news&title=missed", "")
		if res, body := do(t, "POST", d.origin+"/devices/d1/unplug?session=end", ""); res.StatusCode != http.StatusOK || !strings.Contains(body, `"refuse":true`) {
			t.Fatalf("%s %s", res.Status, body)
		}

		do(t, "POST", d.origin+"/devices/d1/plug", "")
		back := authenticate(t, laptop, "alice", "wonderland")
		if got := back.resume(ended); !strings.HasPrefix(got, "<failed") || !strings.Contains(got, " h=") {
			t.Errorf("resuming the ended session: %s", got)
		}
		back.bind()
		if got := back.archived(); !strings.Contains(got, "missed") {
			t.Errorf("the archive: %s", got)
		}
		do(t, "POST", d.origin+"/devices/d2/cut", "")
		other.lost()
		if got := authenticate(t, d.device("Phone"), "alice", "wonderland").resume(kept); !strings.HasPrefix(got, "<resumed") {
			t.Errorf("the session of the other device: %s", got)
		}
	})
}

// The session is ended also while its connection is open.
func TestUnplugEndsOpenSessions(t *testing.T) {
	eachServer(t, func(t *testing.T, d *demo) {
		s := login(t, d.device("Laptop"), "alice", "wonderland")
		id := s.manage()
		do(t, "POST", d.origin+"/devices/d1/unplug?session=end", "")
		s.lost()
		do(t, "POST", d.origin+"/devices/d1/plug", "")
		if got := authenticate(t, d.device("Laptop"), "alice", "wonderland").resume(id); !strings.HasPrefix(got, "<failed") {
			t.Errorf("%s", got)
		}
	})
}

func TestNetworkRejects(t *testing.T) {
	d := startDemo(t, false)
	for call, want := range map[string]int{
		"POST none/cut":              http.StatusNotFound,
		"POST none/unplug":           http.StatusNotFound,
		"POST none/plug":             http.StatusNotFound,
		"POST d1/unplug?session=all": http.StatusBadRequest,
		"GET d1/cut":                 http.StatusMethodNotAllowed,
	} {
		method, path, _ := strings.Cut(call, " ")
		if res, body := do(t, method, d.origin+"/devices/"+path, ""); res.StatusCode != want {
			t.Errorf("%s: %s %s, want %d", call, res.Status, body, want)
		}
	}
	if d.device("d1").status().Refuse {
		t.Error("a rejected request unplugged the device")
	}
}
