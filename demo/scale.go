package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Numbers of feeds that the reader can follow.
const (
	minFeeds = 10
	maxFeeds = 10_000
)

// A reader is an account with very many subscriptions, which shows what a long list
// costs. The server has it from the first use on.
type reader struct {
	account
	mu         sync.Mutex // held while the subscriptions change
	registered bool
}

func feedName(n int) string { return fmt.Sprintf("feed-%05d", n) }

// feedNumber returns the number of a feed of that name, or 0.
func feedNumber(name string) int {
	digits, _ := strings.CutPrefix(name, "feed-")
	if n, err := strconv.Atoi(digits); err == nil && n > 0 && feedName(n) == name {
		return n
	}
	return 0
}

// serveScale makes the reader follow the first feeds, and nothing else.
func (d *demo) serveScale(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.FormValue("feeds"))
	if err != nil || n < minFeeds || n > maxFeeds {
		writeError(w, http.StatusBadRequest, fmt.Sprintf("feeds is a number from %d to %d", minFeeds, maxFeeds))
		return
	}
	start := time.Now()
	if err := d.scale(r.Context(), n); err != nil {
		writeScaleError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"account": d.reader.Name, "password": d.reader.Password,
		"feeds": n, "ms": time.Since(start).Milliseconds(),
	})
}

var (
	// Requests do not wait, because they would be carried out for clients that are gone.
	errMeasuring = errors.New("another measurement is running")
	errNotScaled = errors.New("the reader follows no feeds: scale it first")
)

func writeScaleError(w http.ResponseWriter, err error) {
	status := http.StatusBadGateway
	if errors.Is(err, errMeasuring) || errors.Is(err, errNotScaled) {
		status = http.StatusConflict
	}
	writeError(w, status, err.Error())
}

// perFollow is the number of feeds after which a request whose client is gone ends.
const perFollow = 500

func (d *demo) scale(ctx context.Context, n int) error {
	if !d.reader.mu.TryLock() {
		return errMeasuring
	}
	defer d.reader.mu.Unlock()
	if !d.reader.registered {
		if err := d.server.Register(d.reader.Name, d.reader.Password); err != nil {
			return err
		}
		d.reader.registered = true
	}
	surplus, err := d.server.Following(d.reader.Name)
	if err != nil {
		return err
	}
	followed := make(map[string]bool, len(surplus))
	for _, node := range surplus {
		followed[node] = true
	}
	var missing []string
	for i := range n {
		if name := feedName(i + 1); !followed[name] {
			missing = append(missing, name)
		}
	}
	surplus = slices.DeleteFunc(surplus, func(node string) bool { i := feedNumber(node); return i > 0 && i <= n })
	for nodes := range slices.Chunk(missing, perFollow) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.server.Follow(d.reader.Name, nodes, nil); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil || len(surplus) == 0 {
		return err
	}
	return d.server.Follow(d.reader.Name, nil, surplus)
}

// serveScaleChange makes the reader follow two new feeds, and no longer the first that
// it follows.
func (d *demo) serveScaleChange(w http.ResponseWriter, r *http.Request) {
	if err := d.changeScale(r.Context()); err != nil {
		writeScaleError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]int{"added": 2, "removed": 1})
}

func (d *demo) changeScale(ctx context.Context) error {
	if !d.reader.mu.TryLock() {
		return errMeasuring
	}
	defer d.reader.mu.Unlock()
	if !d.reader.registered {
		return errNotScaled
	}
	nodes, err := d.server.Following(d.reader.Name)
	if err != nil {
		return err
	}
	var feeds []int
	for _, node := range nodes {
		if n := feedNumber(node); n > 0 {
			feeds = append(feeds, n)
		}
	}
	if len(feeds) == 0 {
		return errNotScaled
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	last := slices.Max(feeds)
	return d.server.Follow(d.reader.Name, []string{feedName(last + 1), feedName(last + 2)}, []string{feedName(slices.Min(feeds))})
}
