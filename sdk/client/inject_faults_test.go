//go:build !js

package client_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/store"
)

// injectFaults injects all faults of the server, and erases the store.
func injectFaults(p *peer, s store.Store, until time.Time, r dice) {
	for time.Now().Before(until) {
		session := ""
		if all := p.Sessions("alice"); len(all) > 0 {
			session = all[r.IntN(len(all))]
		}
		switch r.IntN(11) {
		case 0:
			p.Cut(session)
		case 9:
			p.ExpireSession(session)
		case 10:
			p.ForgetSession(session)
		case 1:
			p.ForgetHistory("alice")
		case 2:
			_ = p.Send(session, "<message xmlns='jabber:client'/>")
		case 3:
			_ = p.Send(session, "no XML")
		case 4:
			_ = p.Publish("node0", "", "")
		case 5:
			_ = p.Send(session, "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><reset xmlns='"+nsStreams+"'/></stream:error>")
		case 6:
			_ = s.Commit(context.Background(), nil, []store.Op{store.DeleteRange("", "")})
		default:
			release := p.Hold(func(name, xml string) bool {
				return name == session || session == "" && strings.Contains(xml, "features")
			})
			time.Sleep(r.upTo(200 * time.Millisecond))
			release()
		}
		time.Sleep(r.upTo(60 * time.Millisecond))
	}
}

// flaky is a store whose calls take time and which may fail permanently.
type flaky struct {
	store.Store
	random  dice
	failing bool
}

func (f flaky) Get(ctx context.Context, keys ...string) ([][]byte, error) {
	time.Sleep(f.random.upTo(3 * time.Millisecond))
	return f.Store.Get(ctx, keys...)
}

func (f flaky) Scan(ctx context.Context, r store.Range) ([]store.Record, error) {
	time.Sleep(f.random.upTo(3 * time.Millisecond))
	return f.Store.Scan(ctx, r)
}

func (f flaky) Commit(ctx context.Context, expect []store.Record, ops []store.Op) error {
	time.Sleep(f.random.upTo(5 * time.Millisecond))
	if f.failing && f.random.oneIn(30) {
		return errors.New("the disk is full")
	}
	return f.Store.Commit(ctx, expect, ops)
}

// dice is a source of random numbers that is safe for concurrent use.
type dice struct {
	mu *sync.Mutex
	r  *rand.Rand
}

func newDice(seed, stream uint64) dice {
	return dice{new(sync.Mutex), rand.New(rand.NewPCG(seed, stream))}
}

func (d dice) IntN(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.IntN(n)
}

func (d dice) oneIn(n int) bool                       { return d.IntN(n) == 0 }
func (d dice) upTo(limit time.Duration) time.Duration { return time.Duration(d.IntN(int(limit))) }
func (d dice) target() pam.Target {
	return pam.Target{Service: "pubsub.localhost", Node: fmt.Sprint("node", d.IntN(stressNodes))}
}

func rowsOf(list []pam.Subscription) []string {
	return sortedBy(list, func(s pam.Subscription) string {
		return strings.Join([]string{s.Service, s.Node, s.SubID, s.JID, string(s.State)}, " ")
	})
}

func rowsOfServer(list []mem.Subscription) []string {
	return sortedBy(list, func(s mem.Subscription) string {
		return strings.Join([]string{s.Service, s.Node, s.SubID, s.JID, s.State}, " ")
	})
}

// sortedBy returns the sorted texts of the rows.
func sortedBy[T any](rows []T, text func(T) string) []string {
	var out []string
	for _, r := range rows {
		out = append(out, text(r))
	}
	slices.Sort(out)
	return out
}
