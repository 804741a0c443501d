//go:build !js

package client_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// A protocolCase is an interpretation of XEP-0376 (sdk/pam/PROTOCOL.md): the stanzas
// after the client is bound, and their effects. js/test/protocol.test.mjs reads the same
// files.
type protocolCase struct {
	Reading, Section string

	Calls    [][]string // calls of the page when the client is live, one after the other
	Outcomes []string   // of each: ok, or the code of its error
	Error    *struct{ Origin, By, Condition, PubsubCondition string }

	List     [][]string // service, node, subid, state
	Ver      *string
	Events   [][]string // service, node, type, item, and the time unless only this device's clock tells it; newest first
	Ignored  uint64
	Missing  []string
	Order    []string                        // the stanzas to send first
	Features *struct{ Account, Domain bool } // which of them announce PAM; by default both

	wire []*element.Element
}

const protocolCases = "../pam/testdata/protocol/"

// TestProtocol runs every case. PROTOCOL.md must name exactly these cases.
func TestProtocol(t *testing.T) {
	needsMem(t)
	notes, err := os.ReadFile("../pam/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(protocolCases + "*.json")
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if !strings.Contains(string(notes), "`"+name+"`") {
			t.Errorf("PROTOCOL.md does not name %s", name)
		}
		t.Run(name, func(t *testing.T) {
			c := readProtocolCase(t, name)
			if !strings.HasPrefix(c.Reading+"-", name[:1]+strings.TrimLeft(name[1:3], "0")+"-") {
				t.Errorf("the interpretation is called %s", c.Reading)
			}
			synctest.Test(t, c.play)
		})
	}
	for _, name := range regexp.MustCompile("`([AE][0-9]{2}-[^`]*)`").FindAllStringSubmatch(string(notes), -1) {
		if _, err := os.Stat(protocolCases + name[1] + ".json"); err != nil {
			t.Errorf("PROTOCOL.md names %s, which does not exist", name[1])
		}
	}
}

func readProtocolCase(t *testing.T, name string) (c protocolCase) {
	data, err := os.ReadFile(protocolCases + name + ".json")
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(protocolCases + name + ".xml")
	if err != nil {
		t.Fatal(err)
	}
	wire, err := element.Parse(strings.TrimSpace(string(text)), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.wire = slices.Collect(wire.Elements())
	return c
}

func (c protocolCase) play(t *testing.T) {
	f := newScripted()
	ids := map[string]string{} // in the file → on the wire
	rest := c.wire
	var order []string
	f.handle = func(s *socket, e *element.Element) bool {
		features := c.Features
		yes := func(to string) bool {
			return features == nil || features.Account && strings.Contains(to, "@") || features.Domain && !strings.Contains(to, "@")
		}
		switch {
		case e.Is(nsFraming, "open"):
			offers := "<mechanisms xmlns='" + nsSASL + "'><mechanism>PLAIN</mechanism></mechanisms>"
			if s.authed {
				offers = "<bind xmlns='" + nsBind + "'/>"
			}
			s.push("<open xmlns='"+nsFraming+"' from='denmark.lit' id='s' version='1.0'/>",
				"<stream:features xmlns:stream='http://etherx.jabber.org/streams'>"+offers+"</stream:features>")
		case e.Child(nsBind, "bind") != nil:
			s.result(e, "<bind xmlns='"+nsBind+"'><jid>francisco@denmark.lit/barracks</jid></bind>")
		case e.Is(nsClient, "presence"):
			order = append(order, "presence")
		case isDisco(e) && yes(e.Attr("to")):
			s.result(e, "<query xmlns='"+nsInfo+"'><feature var='"+ns.PAM+"'/></query>")
		case isDisco(e):
			s.result(e, "<query xmlns='"+nsInfo+"'/>")
		case isList(e) || isPAM(e):
			order = append(order, e.First().Name.Local)
			if len(rest) == 0 || rest[0].Name.Local != "out" {
				t.Errorf("not expected: %s", e)
				s.failure(e, "service-unavailable")
				return true
			}
			want := rest[0].First()
			ids[want.Attr("id")] = e.Attr("id")
			if got, want := canonical(e, e.Attr("id"), "?"), canonical(want, want.Attr("id"), "?"); got != want {
				t.Errorf("sent %s, want %s", got, want)
			}
			for rest = rest[1:]; len(rest) > 0 && rest[0].Name.Local == "in"; rest = rest[1:] {
				stanza := rest[0].First()
				id := stanza.Attr("id")
				if real, ok := ids[id]; ok {
					id = real
				}
				s.push(canonical(stanza, stanza.Attr("id"), id))
			}
		default:
			return false
		}
		return true
	}
	a := f.device(t, func(o *client.Options) { o.Account = "francisco@denmark.lit" })
	_, _ = a.Connect(t.Context())
	synctest.Wait()
	var last *pam.Error
	for i, call := range c.Calls {
		var err error
		target := pam.Target{}
		if len(call) > 1 {
			target.Service, target.Node = call[1], call[2]
		}
		if len(call) > 3 {
			target.SubID = call[3]
		}
		switch call[0] {
		case "subscribe":
			_, err = a.Subscribe(t.Context(), target)
		case "unsubscribe":
			err = a.Unsubscribe(t.Context(), target)
		case "refresh":
			err = a.Refresh(t.Context(), false)
		}
		outcome := "ok"
		if errors.As(err, &last) {
			outcome = string(last.Code)
		}
		if outcome != c.Outcomes[i] {
			t.Errorf("%v ended with %s (%v), want %s", call, outcome, err, c.Outcomes[i])
		}
		synctest.Wait()
	}
	time.Sleep(2 * time.Second)
	synctest.Wait()
	if len(rest) > 0 {
		t.Errorf("never sent: %s", rest[0].First())
	}
	got := a.Snapshot()
	list := [][]string{}
	for _, s := range got.List {
		list = append(list, []string{s.Service, s.Node, s.SubID, string(s.State)})
	}
	ver := ""
	if c.Ver != nil {
		ver = *c.Ver
	}
	if !slices.EqualFunc(list, c.List, slices.Equal) || string(got.Version) != ver || len(got.Provisional) > 0 {
		t.Errorf("the list is %q as %q and %v, want %q as %q", list, got.Version, got.Provisional, c.List, ver)
	}
	if c.Events != nil {
		found, _, err := a.Events(t.Context(), pam.EventQuery{})
		events := [][]string{}
		for _, e := range found {
			at := ""
			if e.TimeSource != pam.TimeLocalClock {
				at = e.OccurredAt.Format(time.RFC3339)
			}
			events = append(events, []string{e.Service, e.Node, string(e.Type), e.ItemID, at})
		}
		if err != nil || !slices.EqualFunc(events, c.Events, slices.Equal) {
			t.Errorf("the events are %q, %v, want %q", events, err, c.Events)
		}
	}
	if a.Ignored() != c.Ignored {
		t.Errorf("%d messages were ignored, want %d", a.Ignored(), c.Ignored)
	}
	if !slices.Equal(a.State().Missing, c.Missing) {
		t.Errorf("missing: %q, want %q", a.State().Missing, c.Missing)
	}
	if len(order) < len(c.Order) || !slices.Equal(order[:len(c.Order)], c.Order) {
		t.Errorf("sent %q, want %q first", order, c.Order)
	}
	if w := c.Error; w != nil && (last == nil || string(last.Origin) != w.Origin || last.By != w.By || last.Condition != w.Condition || last.PubsubCondition != w.PubsubCondition) {
		t.Errorf("the error is %+v, want %+v", last, w)
	}
	_ = a.Close()
}

// canonical writes an element with its attributes in order, and puts an id in the
// place of another.
func canonical(e *element.Element, old, id string) string {
	out := element.New(e.Name.Space, e.Name.Local)
	attrs := slices.Clone(e.Attrs)
	slices.SortFunc(attrs, func(a, b xml.Attr) int { return strings.Compare(a.Name.Local, b.Name.Local) })
	for _, a := range attrs {
		if a.Name.Local == "id" && old != "" && a.Value == old {
			a.Value = id
		}
		out.Attrs = append(out.Attrs, a)
	}
	out.Children = e.Children
	return out.String()
}
