//go:build !js

package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRestart(t *testing.T) {
	eachServer(t, func(t *testing.T, d *demo) {
		s := login(t, d.device("Laptop"), "alice", "wonderland")
		s.pam("s", "subscribe", "news")
		s.until("type='result'")
		id := s.manage()
		do(t, "POST", d.origin+"/publish?node=news&title=before", "")
		s.until("before")

		var answer struct{ Ms *int64 }
		res, body := do(t, "POST", d.origin+"/restart", "")
		if err := json.Unmarshal([]byte(body), &answer); err != nil || res.StatusCode != http.StatusOK || answer.Ms == nil {
			t.Fatalf("%s %s", res.Status, body)
		}
		t.Logf("%d ms", *answer.Ms)
		s.lost()

		back := authenticate(t, d.device("Laptop"), "alice", "wonderland")
		if got := back.resume(id); !strings.HasPrefix(got, "<failed") {
			t.Errorf("resuming after the restart: %s", got)
		}
		if list := back.bind(); !strings.Contains(list, "news") {
			t.Errorf("the list after the restart: %s", list)
		}
		if got := back.archived(); !strings.Contains(got, "before") {
			t.Errorf("the archive after the restart: %s", got)
		}
		do(t, "POST", d.origin+"/publish?node=news&title=after", "")
		back.until("after")
	})
}

// A slowServer restarts when it is released.
type slowServer struct {
	xmppServer
	restarts chan struct{}
	release  chan error
}

func (s *slowServer) Restart() error {
	s.restarts <- struct{}{}
	return <-s.release
}

func TestRestartRejects(t *testing.T) {
	d := startDemo(t, false)
	slow := &slowServer{d.server, make(chan struct{}), make(chan error)}
	d.server = slow
	first := make(chan int)
	go func() {
		res, _ := do(t, "POST", d.origin+"/restart", "")
		first <- res.StatusCode
	}()
	<-slow.restarts
	if res, body := do(t, "POST", d.origin+"/restart", ""); res.StatusCode != http.StatusConflict || !strings.Contains(body, "error") {
		t.Errorf("a second restart meanwhile: %s %s", res.Status, body)
	}
	slow.release <- http.ErrServerClosed
	if status := <-first; status != http.StatusBadGateway {
		t.Errorf("a restart that fails: %d", status)
	}
}

// A restart is no unexpected end, but the end of the process is.
func TestProsodyIsGone(t *testing.T) {
	needProsody(t)
	before := watchInterval
	watchInterval = 5 * time.Millisecond
	t.Cleanup(func() { watchInterval = before })
	d := startDemoAt(t, "prosody", false)
	if res, body := do(t, "POST", d.origin+"/restart", ""); res.StatusCode != http.StatusOK {
		t.Fatalf("%s %s", res.Status, body)
	}
	select {
	case err := <-d.server.Gone():
		t.Fatalf("after a restart: %v", err)
	default:
	}
	d.server.(*prosodyServer).Server.Close()
	if err := <-d.server.Gone(); !strings.Contains(err.Error(), "has ended") {
		t.Error(err)
	}
	if res, _ := do(t, "POST", d.origin+"/restart", ""); res.StatusCode != http.StatusBadGateway {
		t.Errorf("a restart of a server that is gone: %s", res.Status)
	}
}
