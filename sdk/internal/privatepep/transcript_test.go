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

// The keys of transcripts: a to f belong in node 3, and z in node 40.
var letters = append(keysOf(3, 6), keysOf(40, 1)...)

func keyOf(letter string) string {
	if i := strings.Index("abcdefz", letter); i >= 0 && len(letter) == 1 {
		return letters[i]
	}
	return letter
}

func letterOf(key string) string {
	if i := slices.Index(letters, key); i >= 0 {
		return "abcdefz"[i : i+1]
	}
	return key
}

// A script runs one transcript. An answer is for the oldest pending request.
type script struct {
	m       *Machine
	now     time.Time
	pending []int
	rev     uint64
}

// read parses an input.
func (s *script) read(t *testing.T, line string) Input {
	f := strings.Fields(line)
	pay := func(text string) (string, *element.Element) {
		key, n, ok := strings.Cut(text, "=")
		if !ok {
			return keyOf(key), nil
		}
		number, _ := strconv.Atoi(n)
		return keyOf(key), value(number)
	}
	result := func(payload *element.Element) Input {
		if len(s.pending) == 0 {
			t.Fatalf("%s: nothing is pending", line)
		}
		id := s.pending[0]
		s.pending = s.pending[1:]
		return Result{id, element.New(ns.Client, "iq").Set("type", "result").Add(payload)}
	}
	about := func(kind pam.EventType, item string) Notification {
		n := pubsub.Notification{Service: testAccount, Node: "base:3", Type: kind}
		if item != "" {
			n.ItemID, n.Payload = pay(item)
			n.Node = Node("base", n.ItemID)
		}
		return Notification{Notification: n}
	}
	switch f[0] {
	case "session":
		s.pending = nil
		in := SessionStarted{Account: testAccount, PEP: true, PublishOptions: true}
		if len(f) > 1 {
			in.MaxItems, _ = strconv.Atoi(f[1])
		}
		return in
	case "lost":
		return Lost{}
	case "resumed":
		return Resumed{}
	case "wait":
		d, _ := time.ParseDuration(f[1])
		s.now = s.now.Add(d)
		return TimerFired{}
	case "put", "oldput":
		in := Put{Merged: s.rev}
		in.Key, in.Payload = pay(f[1])
		if f[0] == "oldput" {
			in.Merged--
		}
		return in
	case "remove":
		in := Remove{Key: keyOf(f[1]), Merged: s.rev}
		if len(f) > 2 {
			_, in.Tombstone = pay("=" + f[2])
		}
		return in
	case "nodes":
		query := element.New(ns.DiscoItems, "query").Add(element.New(ns.DiscoItems, "item").Set("jid", testAccount).Set("node", "other"))
		for _, n := range f[1:] {
			query.Add(element.New(ns.DiscoItems, "item").Set("jid", testAccount).Set("node", "base:"+n))
		}
		return result(query)
	case "items":
		list := element.New(ns.Pubsub, "items")
		body := element.New(ns.Pubsub, "pubsub").Add(list)
		for _, text := range f[1:] {
			if count, ok := strings.CutPrefix(text, "count="); ok {
				body.Add(element.New(ns.RSM, "set").Add(element.New(ns.RSM, "count").AddText(count)))
				continue
			}
			id, payload := pay(text)
			list.Add(element.New(ns.Pubsub, "item").Set("id", id).Add(payload))
		}
		return result(body)
	case "form":
		x := element.New(ns.DataForms, "x").Set("type", "form")
		if f[1] == "private" {
			f = strings.Fields("form access_model=whitelist persist_items=1 max_items=256")
		}
		for _, text := range f[1:] {
			name, value, _ := strings.Cut(text, "=")
			x.Add(element.New(ns.DataForms, "field").Set("var", "pubsub#"+name).Add(element.New(ns.DataForms, "value").AddText(value)))
		}
		return result(element.New(ns.PubsubOwner, "pubsub").Add(element.New(ns.PubsubOwner, "configure").Add(x)))
	case "ok":
		return result(nil)
	case "stale": // an answer to the request before the last one
		s.pending = append([]int{s.m.lastID - 1}, s.pending...)
		return s.read(t, strings.Join(f[1:], " "))
	case "again": // the answer to the last request, once more
		return Result{s.m.lastID, element.New(ns.Client, "iq")}
	case "error":
		return answer(result(nil).(Result).ID, nil, strings.Join(f[1:], " "))
	case "silence":
		return Failed{ID: result(nil).(Result).ID}
	case "notify":
		return about(pam.EventPublished, f[1])
	case "delayed":
		n := about(pam.EventPublished, f[1])
		n.Delayed = true
		return n
	case "delayedretract":
		n := about(pam.EventRetracted, f[1])
		n.Delayed = true
		return n
	case "by":
		n := about(pam.EventPublished, f[2])
		n.Publisher = f[1]
		return n
	case "retracted":
		return about(pam.EventRetracted, f[1])
	case "purged", "deleted", "configured":
		return about(pam.EventType(f[0]), "")
	}
	t.Fatalf("bad input %q", line)
	return nil
}

// write formats an output.
func (s *script) write(out Output) string {
	switch out := out.(type) {
	case Request:
		s.pending = append(s.pending, out.ID)
		text := strings.ReplaceAll(brief(out), "base:", "")
		f := strings.Fields(text)
		switch f[0] {
		case "create", "configure":
			form := out.Payload.Child(ns.Pubsub, "configure")
			if f[0] == "configure" {
				form = out.Payload.First()
			}
			return strings.TrimSpace(f[0] + " " + f[1] + " " + fields(form)["pubsub#max_items"])
		case "publish", "retract":
			key, n, ok := strings.Cut(f[2], "=")
			if ok {
				n = "=" + n
			}
			return f[0] + " " + f[1] + " " + letterOf(key) + n
		}
		return text
	case SetTimer:
		if out.At.IsZero() {
			return "no timer"
		}
		return fmt.Sprint("timer ", out.At.Sub(s.now))
	case Changed:
		s.rev = out.Revision
		text := format(out)
		for i, key := range letters {
			text = strings.ReplaceAll(text, key, "abcdefz"[i:i+1])
		}
		return text
	case Stored:
		if out.Payload != nil {
			return "stored " + letterOf(out.Key) + "=" + out.Payload.Attr("n")
		}
		return "stored -" + letterOf(out.Key)
	case Dropped:
		out.Key = letterOf(out.Key)
		return format(out)
	}
	return strings.ReplaceAll(format(out), "base:", "")
}

// preambles make node 3 known, and private.
var preambles = map[string][]string{
	"ready":   {"session", "nodes 3", "items a=1 b=2"},
	"private": {"session", "nodes 3", "items a=1 b=2", "put c=3", "form private", "notify c=3", "ok"},
}

func TestTranscripts(t *testing.T) {
	for _, tt := range transcripts {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{m: NewMachine(Config{"base", rank}), now: start}
			var got []string
			var want []string
			for line := range strings.Lines(tt.text) {
				if line = strings.TrimSpace(line); line == "" {
					continue
				}
				want = append(want, line)
				if name, ok := strings.CutPrefix(line, "# "); ok {
					got = append(got, line)
					for _, line := range preambles[name] {
						for _, out := range s.m.Step(s.now, s.read(t, line)) {
							s.write(out)
						}
					}
				}
				if line, ok := strings.CutPrefix(line, "> "); ok {
					got = append(got, "> "+line)
					for _, out := range s.m.Step(s.now, s.read(t, line)) {
						got = append(got, "< "+s.write(out))
					}
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got\n\t\t%s", strings.Join(got, "\n\t\t"))
			}
		})
	}
}
