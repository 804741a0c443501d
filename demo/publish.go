package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"xmpp-pam/sdk/server/sample"
)

const (
	maxEntries = 20  // that one request publishes
	maxTitle   = 400 // bytes: the page accepts 100 characters of any script
)

// servePublish publishes entries at a node: `count` sample entries (default 1), or one
// with `title`. It answers with the ids of the items.
func (d *demo) servePublish(w http.ResponseWriter, r *http.Request) {
	ids, err := d.publish(r.FormValue("node"), r.FormValue("title"), r.FormValue("count"))
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	writeJSON(w, http.StatusCreated, map[string][]string{"items": ids})
}

func (d *demo) publish(node, title, count string) ([]string, error) {
	n := 1
	if count != "" {
		var err error
		if n, err = strconv.Atoi(count); err != nil || n < 1 || n > maxEntries {
			return nil, fmt.Errorf("count is a number from 1 to %d", maxEntries)
		}
	}
	if len(title) > maxTitle || !utf8.ValidString(title) {
		return nil, fmt.Errorf("a title has at most %d bytes", maxTitle)
	}
	if title != "" && n > 1 {
		return nil, errors.New("only one entry can have the title")
	}
	if !slices.ContainsFunc(d.server.Nodes(), func(i nodeInfo) bool { return i.Name == node }) {
		return nil, fmt.Errorf("there is no node %q", node)
	}
	ids := make([]string, 0, n)
	for range n {
		d.mu.Lock()
		number := d.published[node]
		d.published[node]++
		d.mu.Unlock()
		entry := sample.Entry(node, number, time.Now())
		if title != "" {
			entry = sample.Titled(title, time.Now())
		}
		id := fmt.Sprintf("entry-%d", number+1)
		if err := d.server.Publish(node, id, entry); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}
