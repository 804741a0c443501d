package main

import (
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
	if err := d.scale(n); err != nil {
		writeError(w, http.StatusBadGateway, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"account": d.reader.Name, "password": d.reader.Password,
		"feeds": n, "ms": time.Since(start).Milliseconds(),
	})
}

func (d *demo) scale(n int) error {
	d.reader.mu.Lock()
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
	return d.server.Follow(d.reader.Name, missing, surplus)
}

var errNotScaled = errors.New("the reader follows no feeds: scale it first")

// serveScaleChange makes the reader follow two new feeds, and no longer the first that
// it follows.
func (d *demo) serveScaleChange(w http.ResponseWriter, _ *http.Request) {
	switch err := d.changeScale(); {
	case errors.Is(err, errNotScaled):
		writeError(w, http.StatusConflict, err.Error())
	case err != nil:
		writeError(w, http.StatusBadGateway, err.Error())
	default:
		writeJSON(w, http.StatusOK, map[string]int{"added": 2, "removed": 1})
	}
}

func (d *demo) changeScale() error {
	d.reader.mu.Lock()
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
	last := slices.Max(feeds)
	return d.server.Follow(d.reader.Name, []string{feedName(last + 1), feedName(last + 2)}, []string{feedName(slices.Min(feeds))})
}
