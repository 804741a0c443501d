//go:build !js

package client_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

var news = pam.Target{Service: "pubsub.localhost", Node: "news"}

// TestInterruptedAtEveryStep injects an event at every step of connecting,
// subscribing and closing, while every operation takes time. No call may hang, and
// the client must reach the state that follows from the event.
func TestInterruptedAtEveryStep(t *testing.T) {
	const step, latest = 3 * time.Millisecond, 270 * time.Millisecond
	ctx := context.Background()
	tests := map[string]struct {
		event func(f *scripted, a *device)
		want  pam.Phase
	}{
		"disconnect":       {func(_ *scripted, a *device) { _ = a.Disconnect(ctx) }, pam.PhaseOffline},
		"disconnect twice": {func(_ *scripted, a *device) { go a.Disconnect(ctx); _ = a.Disconnect(ctx) }, pam.PhaseOffline},
		"close":            {func(_ *scripted, a *device) { go a.Close(); _ = a.Close() }, pam.PhaseOffline},
		"drop":             {func(_ *scripted, a *device) { a.Drop() }, pam.PhaseLive},
		"drop and wake":    {func(_ *scripted, a *device) { a.Drop(); a.Wake(); a.Drop(); a.Wake() }, pam.PhaseLive},
		"freeze":           {func(_ *scripted, a *device) { a.Freeze() }, pam.PhaseWaiting},
		"freeze and wake":  {func(_ *scripted, a *device) { a.Freeze(); a.Wake() }, pam.PhaseLive},
		"freeze, connect":  {func(_ *scripted, a *device) { a.Freeze(); _, _ = a.Connect(ctx) }, pam.PhaseLive},
		"freeze and leave": {func(_ *scripted, a *device) { a.Freeze(); _ = a.Disconnect(ctx) }, pam.PhaseOffline},
		"connect":          {func(_ *scripted, a *device) { _, _ = a.Connect(ctx) }, pam.PhaseLive},
		"load":             {func(_ *scripted, a *device) { _, _ = a.Load(ctx) }, pam.PhaseLive},
		"away and back":    {func(_ *scripted, a *device) { go a.Disconnect(ctx); time.Sleep(time.Nanosecond); _, _ = a.Connect(ctx) }, pam.PhaseLive},
		"back and away":    {func(_ *scripted, a *device) { go a.Connect(ctx); time.Sleep(time.Nanosecond); _ = a.Disconnect(ctx) }, pam.PhaseOffline},
		"away, back, drop": {func(_ *scripted, a *device) {
			go a.Disconnect(ctx)
			time.Sleep(time.Millisecond)
			go a.Connect(ctx)
			time.Sleep(time.Millisecond)
			a.Drop()
		}, pam.PhaseLive},
		"deadline": {func(_ *scripted, a *device) {
			dead, cancel := context.WithTimeout(ctx, time.Nanosecond)
			defer cancel()
			_, _ = a.Subscribe(dead, news)
			_ = a.Refresh(dead, true)
			_, _ = a.Load(dead)
		}, pam.PhaseLive},
		"cut": {func(f *scripted, _ *device) {
			if s := f.socket(); s != nil {
				s.fail(errors.New("cut"))
			}
		}, pam.PhaseLive},
		"sending fails": {func(f *scripted, _ *device) {
			if s := f.socket(); s != nil {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.sendErr = errors.New("too many messages wait")
			}
		}, pam.PhaseLive},
		"server closes": {func(f *scripted, _ *device) {
			if s := f.socket(); s != nil {
				s.push("<close xmlns='" + nsFraming + "'/>")
				s.fail(gone)
			}
		}, pam.PhaseLive},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for at := step; at <= latest; at += step {
				synctest.Test(t, func(t *testing.T) { everyMoment(t, at, tt.event, tt.want) })
			}
		})
	}
}

func everyMoment(t *testing.T, at time.Duration, event func(f *scripted, a *device), want pam.Phase) {
	f := newScripted()
	f.delay = 10 * time.Millisecond
	f.dial = func(ctx context.Context) error {
		time.Sleep(10 * time.Millisecond)
		return ctx.Err()
	}
	version, state := "v0", "none"
	f.handle = func(s *socket, e *element.Element) bool {
		switch {
		case isPAM(e):
			now := map[string]string{"subscribe": "subscribed", "unsubscribe": "none"}[e.First().First().Name.Local]
			if now != state {
				version, state = version+"+", now
				s.notify(version, "news", state)
			}
			s.result(e, "")
		case isList(e):
			switch {
			case e.First().Attr("ver") == version:
				s.result(e, "")
			case state == "subscribed":
				s.result(e, "<subscriptions xmlns='urn:xmpp:pam:0' ver='"+version+"' service='pubsub.localhost'><subscription node='news'/></subscriptions>")
			default:
				s.result(e, "<subscriptions xmlns='urn:xmpp:pam:0' ver='"+version+"'/>")
			}
		default:
			return false
		}
		return true
	}
	a := f.device(t, quick, slowly(10*time.Millisecond, 10*time.Millisecond))
	injected := make(chan struct{})
	time.AfterFunc(at, func() {
		event(f, a)
		close(injected)
	})
	calls := make(chan struct{})
	go func() {
		defer close(calls)
		_, _ = a.Connect(t.Context())
		_, _ = a.Subscribe(t.Context(), news)
		_ = a.Refresh(t.Context(), true)
		_ = a.Unsubscribe(t.Context(), news)
		_, _ = a.Subscribe(t.Context(), news)
	}()
	hang := time.After(2 * time.Minute)
	for _, c := range []chan struct{}{injected, calls} {
		select {
		case <-c:
		case <-hang:
			t.Fatalf("at %v: a call hangs in %+v", at, a.State())
		}
	}
	time.Sleep(time.Minute)
	synctest.Wait()
	s := a.State()
	sockets := map[pam.Phase]int{pam.PhaseLive: 1}[want]
	if s.Phase != want || s.Pending != 0 || f.count() != sockets || f.atOnce() > 1 {
		t.Errorf("at %v: %+v with %d sockets, %d at once", at, s, f.count(), f.atOnce())
	}
	if want == pam.PhaseLive {
		list := a.Snapshot()
		if string(list.Version) != version || len(list.Provisional) != 0 || (len(list.List) == 1) != (state == "subscribed") {
			t.Errorf("at %v: %+v, the server has %s at %s", at, list, state, version)
		}
	}
	_ = a.Close()
	if synctest.Wait(); f.count() != 0 {
		t.Errorf("at %v: %d sockets stay open", at, f.count())
	}
	if s := f.socket(); s != nil && s.twice {
		t.Errorf("at %v: the socket was closed twice", at)
	}
}
