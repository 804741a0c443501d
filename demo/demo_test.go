//go:build !js

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRunPrintsItsAddressAndStops(t *testing.T) {
	taken := portOf(takePort(t))
	ctx, stop := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-port", fmt.Sprint(taken), "-dist", testPackage(t)}, w)
		w.Close()
		ended <- err
	}()
	var said strings.Builder
	buf := make([]byte, 256)
	for !strings.Contains(said.String(), "demo: http://localhost:") {
		n, err := r.Read(buf)
		if err != nil {
			t.Fatalf("%v after %q: %v", err, said.String(), <-ended)
		}
		said.Write(buf[:n])
	}
	if !strings.Contains(said.String(), fmt.Sprintf("port %d is taken", taken)) {
		t.Errorf("it printed only %q", said.String())
	}
	stop()
	rest, _ := io.ReadAll(r)
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
	if !strings.Contains(string(rest), "stopped") {
		t.Errorf("at the end it printed %q", rest)
	}
}

func TestRunRejects(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"a package that is not built", []string{"-dist", t.TempDir()}, "make js"},
		{"an unknown server", []string{"-port", "0", "-dist", testPackage(t), "-server", "other"}, "mem and prosody"},
		{"no port", []string{"-port", "-1", "-dist", testPackage(t)}, "port"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := run(t.Context(), tt.args, io.Discard)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestOtherSitesCannotControl(t *testing.T) {
	d := startDemo(t, true)
	for _, call := range []string{"/devices", "/devices/d1/unplug", "/publish?node=news", "/control/cut?device=d1"} {
		res, _ := do(t, "POST", d.origin+call, "", "Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site")
		if res.StatusCode != http.StatusForbidden {
			t.Errorf("POST %s from another site: %s", call, res.Status)
		}
	}
	url := d.device("d1").URL + strings.TrimPrefix(socketPath, "/")
	if res, _ := do(t, "GET", url, "", "Origin", "http://evil.example"); res.StatusCode != http.StatusForbidden {
		t.Errorf("socket from another site: %s", res.Status)
	}
}

func TestAddAndRemoveDevices(t *testing.T) {
	d := startDemo(t, false)
	res, body := do(t, "POST", d.origin+"/devices", "")
	if res.StatusCode != http.StatusCreated || !strings.Contains(body, `"Tablet"`) {
		t.Fatalf("new device: %s %s", res.Status, body)
	}
	dev := d.device("Tablet")
	if res, body := do(t, "GET", dev.URL, ""); res.StatusCode != http.StatusOK || !strings.Contains(body, "device.js") {
		t.Errorf("its page: %s", res.Status)
	}
	if _, body := do(t, "GET", dev.URL+"config.json", ""); !strings.Contains(body, `"name":"Tablet"`) || !strings.Contains(body, d.origin) {
		t.Errorf("its configuration: %s", body)
	}
	ws := login(t, dev, "alice", "wonderland")
	for _, want := range []int{http.StatusNoContent, http.StatusNotFound} {
		if res, _ := do(t, "DELETE", d.origin+"/devices/"+dev.ID, ""); res.StatusCode != want {
			t.Errorf("delete: %s, want %d", res.Status, want)
		}
	}
	if _, _, err := ws.ws.Read(ws.ctx); err == nil {
		t.Error("the socket of a removed device is still open")
	}
	if _, err := browser.Get(dev.URL); err == nil {
		t.Error("the port of a removed device still answers")
	}
	for range maxDevices - 2 {
		do(t, "POST", d.origin+"/devices", "")
	}
	if res, body := do(t, "POST", d.origin+"/devices", ""); res.StatusCode != http.StatusConflict {
		t.Errorf("one device too many: %s %s", res.Status, body)
	}
}

func TestDeviceNames(t *testing.T) {
	d := startDemo(t, false)
	long := strings.Repeat("x", 40)
	for _, tt := range []struct {
		name string
		want int
	}{
		{long, http.StatusCreated},
		{long, http.StatusBadRequest},
		{long + "x", http.StatusBadRequest},
		{"%FF", http.StatusBadRequest},
		{"Phone", http.StatusBadRequest},
		{"d1", http.StatusBadRequest}, // the id of a device
		{"Desktop", http.StatusCreated},
		{"Watch", http.StatusCreated},
		{"Device+7", http.StatusCreated},
		{"", http.StatusCreated}, // the default would be Device 7
	} {
		if res, body := do(t, "POST", d.origin+"/devices?name="+tt.name, ""); res.StatusCode != tt.want {
			t.Errorf("%q: %s %s, want %d", tt.name, res.Status, body, tt.want)
		}
	}
	if dev := d.devices[len(d.devices)-1]; dev.Name == "Device 7" {
		t.Error("a default name is used twice")
	}
}

func TestCloseEndsTheStreams(t *testing.T) {
	d := startDemo(t, false)
	s := login(t, d.device("Laptop"), "alice", "wonderland")
	closed := make(chan struct{})
	go func() {
		d.Close()
		close(closed)
	}()
	s.until("system-shutdown")
	s.ws.CloseNow()
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		t.Error("Close does not end")
	}
}

func TestInfo(t *testing.T) {
	d := startDemo(t, false)
	_, body := do(t, "GET", d.origin+"/info.json", "")
	for _, want := range []string{`"packed":6,"encoding":"br"`, `"bytes":10`, `"name":"alice"`, `"name":"bob"`, `"domain":"localhost"`, `"pubsub":"pubsub.localhost"`, `"socket":"/xmpp-websocket"`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
}

func TestPublish(t *testing.T) {
	d := startDemo(t, false)
	laptop := login(t, d.device("Laptop"), "alice", "wonderland")
	laptop.pam("s", "subscribe", "news")
	laptop.until("id='s'")
	for _, step := range []struct{ query, want string }{
		{"node=news", "<title>The library opens its garden</title>"},
		{"node=news&count=2", "<title>A comet will be visible tonight</title>"},
		{"node=news&title=a+%3C+b", "<title>a &lt; b</title>"},
		{"node=news&title=" + strings.Repeat("%E6%97%A5", 100), "<title>" + strings.Repeat("日", 100) + "</title>"},
	} {
		if res, body := do(t, "POST", d.origin+"/publish?"+step.query, ""); res.StatusCode != http.StatusCreated {
			t.Errorf("%s: %s %s", step.query, res.Status, body)
		}
		laptop.until(step.want)
	}
	if _, body := do(t, "POST", d.origin+"/publish?node=news", ""); !strings.Contains(body, `{"items":["entry-6"]}`) {
		t.Errorf("the sixth entry: %s", body)
	}
	for _, query := range []string{"", "node=none", "node=news&count=0", "node=news&count=21", "node=news&count=x", "node=news&count=2&title=x", "node=news&title=" + strings.Repeat("x", 401)} {
		if res, body := do(t, "POST", d.origin+"/publish?"+query, ""); res.StatusCode != http.StatusBadRequest || !strings.Contains(body, "error") {
			t.Errorf("%q: %s %s", query, res.Status, body)
		}
	}
}
