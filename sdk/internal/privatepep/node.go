package privatepep

import (
	"math"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

// maxKept is the maximum number of items of a node that the machine keeps track of: more
// than any server keeps.
const maxKept = 1024

// A node is what the machine knows of one node.
type node struct {
	name     string
	items    map[string]item
	unkept   int    // items in the node that are not in items
	revision uint64 // of the last Changed
	puts     map[string]*put
	state
	setup
}

// A state is what is known of a node in one session, and what happens to it.
type state struct {
	read     bool      // items is what the node contained when it was read, with all that was received since
	absent   bool      // the node does not exist
	received bool      // a notification came
	rereads  int       // reads in a row that contradicted notifications
	next     time.Time // when notifications may cause the next read

	busy     *request  // pending
	failures int       // in a row
	until    time.Time // no request is sent before
	idle     bool      // the node is not used in this session any more
}

// A setup is what is known of the configuration of a node in one session.
type setup struct {
	private bool // the configuration read at checked says so
	checked time.Time
	limit   int // how many items are used, if private
	low     int // how many items the server allowed when the configuration was last accepted
	checks  int // checks and failed preconditions since the last publication

	creating  bool     // the configurations are being tried, to create the node
	repair    pam.Form // they are being tried, with these fields too, because that of the node is wrong; else nil
	attempt   int      // index of the configuration to try
	unsure    bool     // an earlier one was perhaps refused for another reason than its content
	submitted bool     // one was submitted to a wrong node since the last successful check
	sized     bool     // max_items was submitted since then, if the server knows the field
}

// An item is an item in a node.
type item struct {
	sum  fingerprint // 0 if the item is not reported: it is in the wrong node, or its payload is unusable
	rank int64
}

// A put is a pending Put or Remove.
type put struct {
	payload *element.Element // or the tombstone
	sum     fingerprint
	rank    int64
	size    int
	remove  bool
	order   int
	evicted int // items that were retracted for it
}

// count returns the number of items in the node.
func (n *node) count() int { return len(n.items) + n.unkept }

// oldest returns the key of the Put or Remove that has been pending for the longest time.
func (n *node) oldest() (key string, first *put) {
	for k, p := range n.puts {
		if first == nil || p.order < first.order {
			key, first = k, p
		}
	}
	return key, first
}

// least returns the item of the lowest rank. Items that are not reported come first.
func (n *node) least() (key string, least item) {
	for k, it := range n.items {
		if it.sum == 0 {
			it.rank = math.MinInt64
		}
		if key == "" || it.rank < least.rank || it.rank == least.rank && k < key {
			key, least = k, it
		}
	}
	return key, least
}

// invalidate implements rule 2 for a node whose configuration may have changed.
func (n *node) invalidate() {
	n.private = false
	if n.busy != nil {
		n.busy.stale = true
	}
}

// rereadTime is the minimum time between two reads of a node that notifications cause.
const rereadTime = 5 * time.Second

// reread implements rules 1 and 5: the node is read again.
func (m *Machine) reread(n *node) {
	if n.busy != nil && n.busy.kind == read {
		n.busy.again = true
	}
	if !n.read {
		return
	}
	n.read = false
	at := m.now
	if at.Before(n.next) {
		at = n.next
		n.wait(at)
	}
	n.next = at.Add(rereadTime)
}

// wait delays the next request.
func (n *node) wait(until time.Time) {
	if n.until.Before(until) {
		n.until = until
	}
}
