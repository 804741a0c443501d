package privatepep

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

var start = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// value returns a payload whose rank is n.
func value(n int) *element.Element {
	return element.New("urn:test", "v").Set("n", strconv.Itoa(n)).Set("a", "b")
}

func rank(_ string, payload *element.Element) int64 {
	n, _ := strconv.Atoi(payload.Attr("n"))
	return int64(n)
}

// keysOf returns keys that belong in a node.
func keysOf(node, count int) (keys []string) {
	for i := 0; len(keys) < count; i++ {
		if key := fmt.Sprintf("k%d", i); place(key) == node {
			keys = append(keys, key)
		}
	}
	return keys
}

func notification(n pubsub.Notification) Notification {
	n.Service = testAccount
	return Notification{Notification: n}
}

func published(node, id string, payload *element.Element) Notification {
	return notification(pubsub.Notification{Node: node, Type: pam.EventPublished, ItemID: id, Payload: payload})
}

func retracted(node, id string) Notification {
	return notification(pubsub.Notification{Node: node, Type: pam.EventRetracted, ItemID: id})
}

func about(node string, kind pam.EventType) Notification {
	return notification(pubsub.Notification{Node: node, Type: kind})
}

// answer returns the input for what the service answers.
func answer(id int, payload *element.Element, err string) Input {
	if err == "" {
		return Result{id, element.New(ns.Client, "iq").Set("type", "result").Add(payload)}
	}
	words := strings.Fields(err)
	e := &pubsub.Error{Type: words[0], Condition: words[1]}
	if len(words) > 2 {
		e.PubsubCondition = words[2]
	}
	return Failed{id, e}
}

// format writes an output, or "" for a request and for what is not looked at.
func format(out Output) string {
	switch out := out.(type) {
	case Changed:
		s := "changed " + out.Node[strings.LastIndex(out.Node, ":")+1:]
		for _, it := range out.Items {
			switch it.Removal {
			case NotRemoved:
				s += " " + it.Key + "=" + it.Payload.Attr("n")
			default:
				s += " -" + it.Key + [...]string{"", "", "(evicted)", "(missing)"}[it.Removal]
			}
		}
		return s
	case Stored:
		return "stored " + out.Key
	case Dropped:
		return "dropped " + out.Key + " " + reasonName(out.Reason)
	case Ready:
		return strings.TrimSpace("ready " + strings.Join(out.Unread, " "))
	case Unsupported:
		return "unsupported " + reasonName(out.Reason)
	case Warning:
		return "warning " + out.Node + " " + reasonName(out.Reason)
	}
	return ""
}

func reasonName(r Reason) string {
	return map[Reason]string{Superseded: "superseded", Full: "full", Invalid: "invalid", TooMany: "too many", Refused: "refused",
		NoPEP: "no pep", NoPublishOptions: "no publish-options", CreationRefused: "creation refused", NotPrivate: "not private",
		Unreadable: "unreadable", PreconditionFailed: "precondition failed", NoAnswer: "no answer", LeftOut: "left out"}[r]
}

// A player drives one machine with a service that answers at once.
type player struct {
	t *testing.T
	*service
	m       *Machine
	now     time.Time
	heard   []string // outputs, formatted
	timer   time.Time
	pending []Request
	inputs  []Input // notifications
	mute    bool    // notifications are not delivered
	silent  func(Request) bool
	rev     uint64
}

func play(t *testing.T, v variant) *player {
	p := &player{t: t, service: newService(v), now: start, m: NewMachine(Config{"base", rank})}
	p.push = func(n Notification) {
		if !p.mute {
			p.inputs = append(p.inputs, n)
		}
	}
	p.silent = func(Request) bool { return false }
	return p
}

func (p *player) in(in Input) {
	p.t.Helper()
	for _, out := range p.m.Step(p.now, in) {
		switch out := out.(type) {
		case Request:
			if out.To != testAccount {
				p.t.Fatalf("a request to %q", out.To)
			}
			p.pending = append(p.pending, out)
			if len(p.pending) > MaxRequests {
				p.t.Fatalf("%d requests are pending", len(p.pending))
			}
			continue
		case SetTimer:
			p.timer = out.At
			continue
		case Changed:
			p.rev = out.Revision
		}
		p.heard = append(p.heard, format(out))
	}
}

// run answers all requests and fires all timers.
func (p *player) run() *player {
	p.t.Helper()
	for steps := 0; len(p.pending)+len(p.inputs) > 0 || !p.timer.IsZero(); steps++ {
		if steps > 5000 {
			p.t.Fatalf("it does not end: %s", p.history())
		}
		switch {
		case len(p.inputs) > 0:
			in := p.inputs[0]
			p.inputs = p.inputs[1:]
			p.in(in)
		case len(p.pending) > 0:
			r := p.pending[0]
			p.pending = p.pending[1:]
			if p.silent(r) {
				p.in(Failed{ID: r.ID})
				continue
			}
			payload, err := p.serve(r)
			for _, in := range p.inputs {
				p.in(in)
			}
			p.inputs = nil
			p.in(answer(r.ID, payload, err))
		default:
			p.fire()
		}
	}
	return p
}

// next returns the id of the oldest pending request, which the caller answers.
func (p *player) next() int {
	r := p.pending[0]
	p.pending = p.pending[1:]
	return r.ID
}

// fire lets the time of the timer come.
func (p *player) fire() {
	p.t.Helper()
	p.now, p.timer = p.timer, time.Time{}
	p.in(TimerFired{})
}

// session starts a session, and forgets what was requested and heard until it is ready.
func (p *player) session() *player {
	p.t.Helper()
	p.pending, p.inputs = nil, nil
	p.in(p.service.session())
	p.run()
	p.served, p.heard = nil, nil
	return p
}

func (p *player) put(key string, n int) *player {
	p.t.Helper()
	p.in(Put{key, value(n), p.rev})
	return p
}

// want compares the requests and the outputs since the last call.
func (p *player) want(served, heard string) *player {
	p.t.Helper()
	if got := p.history(); got != served {
		p.t.Errorf("requested %s\n   want   %s", got, served)
	}
	if got := strings.Join(slices.DeleteFunc(p.heard, func(s string) bool { return s == "" }), ", "); got != heard {
		p.t.Errorf("output %s\n want  %s", got, heard)
	}
	p.served, p.heard = nil, nil
	return p
}
