//go:build !js

package client_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/transport"
)

// A meddler stands between a client and its server, and decides for each request of the
// catch-up, or of the part that shares what was seen, what becomes of its answer: it
// comes, or comes late, so that it is out of date and in another order, or an error comes
// instead, or nothing. In the place of an answer it passes an iq that answers nothing, so
// that both sides count the same stanzas (XEP-0198).
type meddler struct {
	transport.Dialer
	server *mem.Server

	archive bool // that of the account holds all events, so that items are asked of new nodes only

	mu       sync.Mutex
	random   *rand.Rand
	choose   func(*element.Element) string // if it is not nil, it decides instead of chance
	mild     int                           // out of 20 answers, so many come at once
	asked    map[string]*meddled           // by id
	quiet    map[pam.Target]time.Time      // when nodes have told all that they have
	read     map[pam.Target]bool           // nodes that were read since they are followed
	erred    map[pam.Target]time.Time      // when an error came for nodes that were new, of which nothing counts as missed
	canceled bool                          // the answers are not wanted, those to later requests neither
	faults   []string
	stats    map[string]int
}

// A meddled request is one of which the answer may be changed.
type meddled struct {
	kind  string // items, archive, features, or seen
	at    pam.Target
	first bool // it asks for the newest items of the node
	limit int
	sent  time.Time
	fate  string
	done  bool // an answer has passed, or is not waited for any more
}

var fates = []string{"late", "late", "late", "error", "error", "never"}

var conditions = []string{
	"type='auth'><forbidden", "type='cancel'><feature-not-implemented", "type='wait'><internal-server-error",
	"type='cancel'><remote-server-timeout", "type='wait'><resource-constraint", "type='cancel'><service-unavailable",
}

func (m *meddler) Dial(ctx context.Context, url string, arrived func()) (transport.Conn, error) {
	c, err := m.Dialer.Dial(ctx, url, arrived)
	if err != nil {
		return nil, err
	}
	return &meddledConn{c, m}, nil
}

type meddledConn struct {
	transport.Conn
	m *meddler
}

func (c *meddledConn) Send(message string) error {
	if strings.HasPrefix(message, "<iq") {
		if e, err := element.Parse(message, &element.DefaultLimits); err == nil && e.Attr("type") != "result" {
			c.m.ask(e)
		}
	}
	return c.Conn.Send(message)
}

func (c *meddledConn) Receive() ([]string, error) {
	messages, err := c.Conn.Receive()
	for i, text := range messages {
		if strings.HasPrefix(text, "<iq") {
			messages[i] = c.m.answer(text)
		}
	}
	return messages, err
}

// ask takes note of a request, and checks that there are not too many, and that no node is
// asked too often.
func (m *meddler) ask(e *element.Element) {
	m.mu.Lock()
	defer m.mu.Unlock()
	items := e.Child(ns.Pubsub, "pubsub").Child(ns.Pubsub, "items")
	own := strings.HasPrefix(e.Attr("to"), "alice@")
	r := &meddled{at: pam.Target{Service: e.Attr("to"), Node: items.Attr("node")}, sent: time.Now(), fate: "pass"}
	switch {
	case own && e.Child(ns.MAM, "query") != nil:
		r.kind = "archive"
	case isSharing(e), own && strings.Contains(e.String(), "'"+ns.Seen+":"):
		r.kind = "seen"
	case own, e.Attr("to") == "localhost":
		return
	case isDisco(e):
		r.kind = "features"
	case e.Child(ns.MAM, "query") != nil:
		r.kind = "archive"
	case items != nil:
		r.kind, r.first = "items", !strings.Contains(e.String(), "<before>") && !strings.Contains(e.String(), "<after>")
		_, _ = fmt.Sscan(items.Attr("max_items"), &r.limit)
	default:
		return
	}
	if m.choose != nil {
		r.fate = m.choose(e)
	} else if m.random.IntN(20) >= m.mild {
		r.fate = fates[m.random.IntN(len(fates))]
	}
	m.stats[r.fate]++
	m.asked[e.Attr("id")] = r
	atOnce := map[string]int{}
	for _, other := range m.asked {
		if !other.done && time.Since(other.sent) < 19*time.Second && other.kind != "seen" {
			kind := "read"
			if other.kind == "features" {
				kind = "features"
			}
			atOnce[kind]++
		}
	}
	if atOnce["read"] > 4 || atOnce["features"] > 4 {
		m.faults = append(m.faults, fmt.Sprintf("%v requests at once", atOnce))
	}
	if last, ok := m.quiet[r.at]; ok && r.first && time.Since(last) < 5*time.Minute-time.Second {
		m.faults = append(m.faults, fmt.Sprintf("%v is asked again after %v", r.at, time.Since(last)))
	}
}

// answer returns what the client receives instead of an iq.
func (m *meddler) answer(text string) string {
	e, err := element.Parse(text, nil)
	if err != nil {
		return text
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	id := e.Attr("id")
	r := m.asked[id]
	if r == nil {
		return text
	}
	nothing := fmt.Sprintf("<iq xmlns='jabber:client' type='result' id='nothing-%s'/>", id)
	switch r.fate {
	case "late":
		after := []time.Duration{time.Millisecond, 100 * time.Millisecond, 2 * time.Second, 15 * time.Second, 25 * time.Second}[m.random.IntN(5)]
		if m.choose != nil {
			after = 10 * time.Second
		}
		time.AfterFunc(after, func() {
			m.mu.Lock()
			r.fate = "pass"
			m.mu.Unlock()
			_ = m.server.Send(e.Attr("to"), text)
		})
		return nothing
	case "never":
		return nothing
	case "error":
		c := conditions[m.random.IntN(len(conditions))]
		r.done = true
		if r.kind == "items" && (m.archive || !m.read[r.at]) {
			m.erred[r.at] = time.Now()
		}
		return fmt.Sprintf("<iq xmlns='jabber:client' type='error' id='%s' from='%s'><error %s xmlns='%s'/></error></iq>", id, e.Attr("from"), c, nsStanzas)
	}
	if !r.done && !m.canceled && e.Attr("type") == "result" && time.Since(r.sent) < 19*time.Second {
		m.read[r.at] = true
		if r.first && strings.Count(text, "<item ") < max(r.limit, 1) {
			m.quiet[r.at] = time.Now()
		}
	}
	r.done = true
	return text
}

// changed forgets the requests under way, which the client may have withdrawn, and when
// nodes were asked, because some may be asked again.
func (m *meddler) changed(canceled bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.canceled = canceled
	for _, r := range m.asked {
		r.done = true
	}
	clear(m.quiet)
}

// calm lets all later answers come.
func (m *meddler) calm() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mild = 20
}
