//go:build !js

package client_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

// The reference transcript is a login, a list, changes, requests and events, and a close.
const (
	cutNotifies = 20
	cutNodes    = 7 // nodes that the notifies name
	cutPause    = 200 * time.Millisecond
	stuckAfter  = 10 * time.Minute // time in the bubble after which a client counts as stuck
)

// transcript runs the reference transcript over n and returns its faults.
func (w *world) transcript(n *network) *run {
	w.reset()
	plan := slices.Clone(n.plan)
	r := w.start(n)
	defer r.end()
	_, _ = r.c.Connect(context.Background())
	if !r.until("the first list", r.live) {
		return r
	}
	before, _ := r.began()
	codes := make(chan []pam.Code, 1)
	go func() { codes <- r.requests() }()
	var items []string
	for i := range cutNotifies {
		time.Sleep(cutPause)
		items = append(items, r.change(i))
	}
	given := <-codes
	if !r.until("the server's list", r.equal) {
		return r
	}
	time.Sleep(time.Second) // for a cut at the last message
	quiet := func() bool { return r.equal() && client.Waiting(r.c) == "" }
	if !r.until("the end of all requests", quiet) {
		return r
	}
	sessions, resumed := r.began()
	r.checkEvents(items, sessions == before)
	r.checkRequests(given, sessions == before, slices.ContainsFunc(plan, func(c cut) bool { return c.late[1] }))
	if all := len(plan) > 0 && !slices.ContainsFunc(plan, func(c cut) bool { return c.ending != resumes }); all && sessions != before {
		r.faultf("%d sessions began, though all could be resumed", sessions-before)
	}
	if k := n.counts(); k.cuts > 0 && k.sinceCut > 2 {
		r.faultf("%d reconnects since the last cut", k.sinceCut)
	}
	w.stats["resumed"] += resumed
	w.stats["new sessions"] += sessions

	made := n.counts().cuts
	_ = r.c.Disconnect(context.Background())
	if n.counts().cuts > made { // The cut hit <close/>.
		_, _ = r.c.Connect(context.Background())
		r.until("the server's list again", r.equal)
	}
	cuts := n.counts().cuts
	if n.skipped() {
		r.faultf("the connection was not cut at place %d", cuts)
	}
	w.stats["cuts"] += cuts
	w.stats[fmt.Sprint("runs with ", cuts, " cuts")]++
	return r
}

// requests makes five requests and repeats each one that failed or whose result the
// list does not show. It returns the code of each attempt.
func (r *run) requests() (codes []pam.Code) {
	has := func(node string) bool { return slices.Contains(nodesOf(r.c.Snapshot().List), node) }
	for _, step := range []struct {
		node string
		want bool
	}{{"r0", true}, {"r1", true}, {"r0", false}, {"", false}, {"r2", true}} {
		time.Sleep(4*cutPause + cutPause/2)
		for range 20 {
			var code pam.Code
			if step.node == "" {
				code = asErrorOf(r.c.Refresh(context.Background(), false)).Code
			} else {
				code = request(r.c, step.node, step.want)
			}
			codes = append(codes, code)
			if code == "" {
				break
			}
			if !r.until("the connection", r.live) || step.node != "" && has(step.node) == step.want {
				break
			}
		}
	}
	return codes
}

// change has another device change the list and a publisher publish an item.
func (r *run) change(i int) (item string) {
	node := fmt.Sprint("n", i%cutNodes)
	state := "subscribed"
	if i/cutNodes%2 == 1 {
		state = "none"
	}
	_ = r.w.SetSubscription("alice", node, state)
	r.w.serial++
	item = fmt.Sprint("item", r.w.serial)
	_ = r.w.Publish("feed", item, "")
	return item
}

// checkEvents checks that no event was delivered twice, and each once if the session
// is the same.
func (r *run) checkEvents(items []string, same bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, item := range items {
		if n := r.got[item]; n > 1 || same && n == 0 {
			r.faults = append(r.faults, fmt.Sprintf("%s was delivered %d times", item, n))
		}
	}
	if r.got[""] > 0 {
		r.faults = append(r.faults, "a message of a closed connection was delivered")
	}
}

// checkRequests checks that a request has an unknown outcome only if its session was
// lost, and otherwise an answer, or was never sent. If the client notices a cut late
// it may also time out, or end while the session waits to be resumed.
func (r *run) checkRequests(codes []pam.Code, same, silence bool) {
	for _, code := range codes {
		switch {
		case code == "", code == pam.CodeOffline:
		case code == pam.CodeOutcomeUnknown && (silence || !same), code == pam.CodeTimeout && silence:
		default:
			r.faultf("a request ended with %s, session lost: %v", code, !same)
		}
	}
	if len(codes) < 5 {
		r.faultf("%d requests ended", len(codes))
	}
}
