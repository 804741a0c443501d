package catchup

import (
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

const account = "alice@one.test"

// short holds the names of services in transcripts. p and q are services of Prosody, e is
// one of ejabberd, l one of Libervia, and bob is a contact.
var short = map[string]string{
	"p": "pubsub.one.test", "q": "pubsub.two.test", "e": "pubsub.ejabberd.test", "l": "pubsub.libervia.test",
	"bob": "bob@one.test", "me": account, "mallory": "mallory@evil.test",
}

func long(name string) string {
	if s, ok := short[name]; ok {
		return s
	}
	return name
}

func shorten(address string) string {
	for name, long := range short {
		if long == address {
			return name
		}
	}
	return address
}

// digest identifies payloads in tests.
func digest(payload *element.Element) string {
	if payload == nil {
		return ""
	}
	return payload.Name.Space + " " + payload.Text()
}

// A player translates between the lines of a transcript and a machine. A line that
// begins with ">" is an input, one with "<" an output; see read and format.
type player struct {
	t   *testing.T
	m   *Machine
	now time.Time
}

func (p *player) clock(text string) time.Time {
	p.t.Helper()
	for _, layout := range []string{"2006-01-02T15:04", "15:04", "15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil {
			if at.Year() == 0 {
				return time.Date(2026, 11, 26, at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
			}
			return at
		}
	}
	p.t.Fatalf("%q is not a time", text)
	return time.Time{}
}

func stamp(at time.Time) string {
	layout := "15:04"
	if at.Second() != 0 {
		layout = "15:04:05"
	}
	if at.Year() != 2026 || at.Month() != 11 || at.Day() != 26 {
		layout = "2006-01-02T15:04"
	}
	return at.Format(layout)
}

func (p *player) parse(xml string) *element.Element {
	p.t.Helper()
	e, err := element.Parse(xml, &element.DefaultLimits)
	if err != nil {
		p.t.Fatalf("%s: %v", xml, err)
	}
	return e
}

// node parses "p/h(option,option=value)".
func (p *player) node(text string) Node {
	name, options, _ := strings.Cut(strings.TrimSuffix(text, ")"), "(")
	service, node, _ := strings.Cut(name, "/")
	n := Node{Service: long(service), Node: node}
	for option := range strings.SplitSeq(options, ",") {
		switch key, value, _ := strings.Cut(option, "="); key {
		case "":
		case "until":
			n.CurrentUntil = p.clock(value)
		case "cursor":
			n.Cursor = p.cursor(value)
			n.Cursor.By = account
		case "cursorBy":
			by, rest, _ := strings.Cut(value, ":")
			n.Cursor = p.cursor(rest)
			n.Cursor.By = long(by)
		case "activity":
			n.LastActivity = p.clock(value)
		case "asked":
			n.AskedAt = p.clock(value)
		case "payload":
			n.Payloads = append(n.Payloads, value)
		case "current":
			n.Current = true
		case "archived":
			n.Archived = true
		case "unlisted":
			n.Unlisted = true
		case "left":
			n.Left = true
		default:
			p.t.Fatalf("unknown option %q", option)
		}
	}
	return n
}

// cursor parses "id@time".
func (p *player) cursor(text string) (c Cursor) {
	id, at, ok := strings.Cut(text, "@")
	if c.ID = id; ok {
		c.At = p.clock(at)
	}
	return c
}

// nodes parses nodes and what services announce ("archive:l", "paging:e").
func (p *player) nodes(words []string) (nodes []Node, services map[string]Support) {
	services = map[string]Support{}
	for _, w := range words {
		feature, service, ok := strings.Cut(w, ":")
		s := services[long(service)]
		switch {
		case ok && feature == "archive":
			s.NodeArchive = true
			services[long(service)] = s
		case ok && feature == "paging":
			s.Paging = true
			services[long(service)] = s
		default:
			nodes = append(nodes, p.node(w))
		}
	}
	return nodes, services
}

// read parses an input.
func (p *player) read(line string) []Input {
	words := strings.Fields(line)
	rest := words[1:]
	switch words[0] {
	case "at":
		p.now = p.clock(rest[0])
		return nil
	case "start":
		in := Start{Account: account, Archive: map[string]ArchiveSupport{"none": NoArchive, "some": SomeEvents, "all": AllEvents}[rest[0]]}
		rest = rest[1:]
		if since, ok := strings.CutPrefix(rest[0], "since="); ok {
			in.Since, rest = p.clock(since), rest[1:]
		}
		if prefix, ok := strings.CutPrefix(rest[0], "prefix="); ok {
			in.Prefix, rest = prefix, rest[1:]
		}
		in.Nodes, in.Services = p.nodes(rest)
		return []Input{in}
	case "added":
		nodes, services := p.nodes(rest)
		return []Input{Added{nodes, services}}
	case "retry":
		nodes, services := p.nodes(rest)
		return []Input{Retry{nodes, services}}
	case "removed":
		n := p.node(rest[0])
		return []Input{Removed{n.Service, n.Node}}
	case "result":
		return []Input{p.archiveResult(rest)}
	case "end":
		return []Input{p.archiveEnd(rest)}
	case "items":
		return []Input{p.items(rest)}
	case "failed":
		text, kind, _ := strings.Cut(rest[1], "/")
		code, condition, other := strings.Cut(text, ":")
		switch {
		case other:
		case slices.Contains([]string{"timeout", "offline", "outcome-unknown", "closed"}, text):
		default:
			code, condition = string(pam.CodeStanza), text
		}
		return []Input{Failed{rest[0], &pam.Error{Code: pam.Code(code), Condition: condition, Type: kind}}}
	case "live":
		n := p.node(rest[0])
		return []Input{Live{n.Service, n.Node, p.cursor(rest[1])}}
	case "paused":
		return []Input{Paused{}}
	case "resumed":
		return []Input{Resumed{}}
	case "cancel":
		return []Input{Cancel{}}
	case "timer":
		return []Input{TimerFired{}}
	}
	p.t.Fatalf("unknown input %q", line)
	return nil
}

// archiveResult parses "ID a5@10:01 p +h/o1 …": the query, the message of the archive, its
// sender and its events. "from=" is the entity that sent the result, if it is not the one
// that was asked; "delay=" a stamp in the message. "empty" is a result without a message.
func (p *player) archiveResult(words []string) ArchiveResult {
	c := p.cursor(words[1])
	from, asked := p.m.Archive(words[0])
	if !asked {
		from = account
	}
	message := element.New(ns.Client, "message")
	if words[2] != "." {
		message.Set("from", long(words[2]))
	}
	for _, w := range words[3:] {
		if other, ok := strings.CutPrefix(w, "from="); ok {
			from = long(other)
		} else if at, ok := strings.CutPrefix(w, "delay="); ok {
			message.Add(element.New(ns.Delay, "delay").Set("stamp", p.clock(at).Format(time.RFC3339)))
		} else if w == "empty" {
			message = nil
		} else if w == "chat" {
			message.Add(element.New(ns.Client, "body").AddText("hello"))
		} else {
			message.Add(p.event(w))
		}
	}
	return ArchiveResult{from, &pubsub.ArchiveResult{QueryID: words[0], ID: c.ID, At: c.At, Message: message}}
}

// event builds the <event/> for "+node/item" (published, optionally with "=payload"),
// "-node/item" (retracted), "~node" (deleted), "^node" (purged) and "sub:node".
func (p *player) event(text string) *element.Element {
	sub, isSub := strings.CutPrefix(text, "sub:")
	node, item, _ := strings.Cut(text[1:], "/")
	xml := ""
	switch {
	case isSub:
		xml = "<subscription node='" + sub + "' jid='" + account + "' subscription='subscribed'/>"
	case text[0] == '+':
		xml = "<items node='" + node + "'>" + itemXML(item) + "</items>"
	case text[0] == '-':
		xml = "<items node='" + node + "'><retract id='" + item + "'/></items>"
	case text[0] == '~':
		xml = "<delete node='" + node + "'/>"
	case text[0] == '^':
		xml = "<purge node='" + node + "'/>"
	default:
		p.t.Fatalf("unknown event %q", text)
	}
	return p.parse("<event xmlns='" + ns.PubsubEvent + "'>" + xml + "</event>")
}

// itemXML builds the <item/> for "id" or "id=payload" or "id=payload:namespace".
func itemXML(item string) string {
	id, payload, ok := strings.Cut(item, "=")
	if !ok {
		payload = "1"
	}
	payload, space, ok := strings.Cut(payload, ":")
	if !ok {
		space = "x"
	}
	return "<item id='" + id + "'><entry xmlns='" + space + "'>" + payload + "</entry></item>"
}

// archiveEnd parses "ID", "complete", "unstable" and "last=a5". "bare" is an end that does
// not speak of a page.
func (p *player) archiveEnd(words []string) Result {
	attrs, set := "", ""
	for _, w := range words[1:] {
		switch key, value, _ := strings.Cut(w, "="); key {
		case "complete":
			attrs += " complete='true'"
		case "unstable":
			attrs += " stable='false'"
		case "last":
			set = "<last>" + value + "</last>"
		case "bare":
			return Result{ID: words[0], IQ: p.parse("<iq xmlns='jabber:client' type='result'><fin xmlns='" + ns.MAM + "'" + attrs + "/></iq>")}
		}
	}
	return Result{ID: words[0], IQ: p.parse("<iq xmlns='jabber:client' type='result'><fin xmlns='" + ns.MAM + "'" + attrs +
		"><set xmlns='" + ns.RSM + "'>" + set + "</set></fin></iq>")}
}

// items parses "ID o1 o2=payload count=5 first=a last=b known=o1,o2=payload". "1..20" are
// the items o1 to o20. A known item with "~" was found by a catch-up, with "!"
// received now, with "@" at a time, and with "=" its digest is not known. "!!" is an item
// that is not valid.
func (p *player) items(words []string) Result {
	in := Result{ID: words[0]}
	var items, set string
	for _, w := range words[1:] {
		switch key, value, _ := strings.Cut(w, "="); key {
		case "known":
			for item := range strings.SplitSeq(value, ",") {
				for _, one := range spread(item) {
					id, payload, ok := strings.Cut(one, "=")
					if !ok {
						payload = "1"
					}
					id, now := strings.CutPrefix(id, "!")
					id, late := strings.CutPrefix(id, "~")
					id, when, timed := strings.Cut(id, "@")
					at := p.clock("08:55")
					if now {
						at = p.now
					} else if timed {
						at = p.clock(when)
					}
					digest := "x " + payload
					if payload == "" {
						digest = ""
					}
					in.Known = append(in.Known, Known{id, digest, at, late})
				}
			}
		case "count", "first", "last":
			set += "<" + key + ">" + value + "</" + key + ">"
		case "!!":
			items += "<item id='" + strings.Repeat("i", 5000) + "'/>"
		default:
			for _, one := range spread(w) {
				items += itemXML(one)
			}
		}
	}
	if set != "" {
		set = "<set xmlns='" + ns.RSM + "'>" + set + "</set>"
	}
	in.IQ = p.parse("<iq xmlns='jabber:client' type='result'><pubsub xmlns='" + ns.Pubsub + "'><items>" + items + "</items>" + set + "</pubsub></iq>")
	return in
}

func spread(word string) (items []string) {
	from, to, ok := strings.Cut(word, "..")
	a, errA := strconv.Atoi(from)
	b, errB := strconv.Atoi(to)
	if !ok || errA != nil || errB != nil {
		return []string{word}
	}
	for i := a; i <= b; i++ {
		items = append(items, "o"+strconv.Itoa(i))
	}
	return items
}

// play runs a transcript.
func play(t *testing.T, text string) {
	t.Helper()
	p := &player{t: t, m: NewMachine(digest), now: time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)}
	var got, want []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		want = append(want, line)
		input, ok := strings.CutPrefix(line, "> ")
		if !ok {
			continue
		}
		got = append(got, line)
		for _, in := range p.read(input) {
			for _, out := range p.m.Step(p.now, in) {
				if text := p.format(out); text != "" {
					got = append(got, "< "+text)
				}
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
