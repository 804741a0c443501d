//go:build !js

package client_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// reloadMoments are the times after an event at which the program ends: before and after
// the client writes the session's record again.
var reloadMoments = []time.Duration{5 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 150 * time.Millisecond,
	240 * time.Millisecond, 260 * time.Millisecond, time.Second}

// A reload runs a program several times in one tab, where each run crashes, with a
// server whose list a test scripts.
type reload struct {
	*scripted
	*resumer
	t    *testing.T
	kept *store.Memory
	list func(s *socket, e *element.Element, ver string) // answers a list request

	replay []string // stanzas that the server sends again when the session is resumed
	number int      // of the first of them; the server does not send handled ones
}

func newReload(t *testing.T) *reload {
	r := &reload{scripted: newScripted(), resumer: &resumer{}, t: t, kept: store.NewMemory()}
	r.scripted.handle = func(s *socket, e *element.Element) bool {
		handled := r.resumer.handle(s, e)
		switch {
		case e.Is(nsSM, "resume") && !r.resumer.refuse:
			h, _ := strconv.Atoi(e.Attr("h"))
			s.push(r.replay[min(max(h+1-r.number, 0), len(r.replay)):]...)
		case isList(e):
			r.list(s, e, e.Child(ns.PAM, "subscriptions").Attr("ver"))
			return true
		}
		return handled
	}
	return r
}

func (r *reload) run() *device {
	return r.device(r.t, inTab(keep(r.kept), "tab"))
}

// end ends a run without warning. The store keeps what was committed by then.
func (r *reload) end(d *device) {
	records, _ := r.kept.Scan(r.t.Context(), store.Range{})
	r.kept = store.NewMemory()
	for _, record := range records {
		_ = r.kept.Commit(r.t.Context(), nil, []store.Op{store.Put(record.Key, record.Value)})
	}
	r.set(func() { r.scripted.refuse = errors.New("the program is gone") })
	r.socket().fail(errors.New("reset"))
	_ = d.Close()
	synctest.Wait()
	r.set(func() { r.scripted.refuse = nil })
}

func notifyText(ver, node, more string) string {
	return "<message xmlns='jabber:client' from='alice@localhost'><notify xmlns='urn:xmpp:pam:0' ver='" + ver + "' service='pubsub.localhost'>" +
		"<subscription xmlns='http://jabber.org/protocol/pubsub' node='" + node + "' jid='alice@localhost' subscription='subscribed'/></notify>" + more + "</message>"
}

// TestReloadInARound ends the program during a list request. The server sends the
// difference to the stored list in notifies with the same version; the next run receives
// only a part of them before it ends as well. The list that this run has stored must
// still be one that the server had.
func TestReloadInARound(t *testing.T) {
	for _, after := range reloadMoments {
		bubble(t, fmt.Sprint(after), func(t *testing.T) {
			r := newReload(t)
			silent := false
			r.list = func(s *socket, e *element.Element, ver string) {
				switch {
				case silent: // The answer is on its way.
				case ver == "v0":
					s.push(notifyText("v2", "a", ""), notifyText("v2", "b", ""))
					s.result(e, "")
				case ver == "v2":
					s.result(e, "")
				default:
					s.result(e, "<subscriptions xmlns='"+ns.PAM+"' ver='v0'/>")
				}
			}
			first := r.run().connect()
			time.Sleep(10 * time.Second)
			r.set(func() { silent = true })
			r.socket().push("<message xmlns='jabber:client' from='bob@localhost'/>") // so that the client has just written the record
			synctest.Wait()
			go func() { _ = first.Refresh(t.Context(), false) }()
			time.Sleep(after)
			r.end(first)

			r.replay, r.number = []string{notifyText("v2", "a", "")}, 4 // and the connection breaks
			second := r.run()
			go second.Connect(t.Context())
			time.Sleep(10 * time.Second)
			if !second.State().Resumed {
				t.Fatalf("not resumed\n%s", second.log())
			}
			r.end(second)
			if now, _ := client.StoredList(r.kept); now.Version == "v2" && now.List.Len() != 2 {
				t.Errorf("stored as v2: %v\n%s", now.List.Rows(), second.log())
			}

			r.set(func() { silent, r.resumer.refuse = false, true })
			third := r.run().connect()
			third.waitNodes("a", "b")
			r.end(third)
		})
	}
}

// TestReloadAfterAHint ends the program after a notify with an old stamp has led
// to a list request. The next run receives it again, and must not apply it.
func TestReloadAfterAHint(t *testing.T) {
	for _, after := range reloadMoments {
		bubble(t, fmt.Sprint(after), func(t *testing.T) {
			r := newReload(t)
			r.list = func(s *socket, e *element.Element, ver string) {
				if ver == "v2" {
					s.result(e, "")
				} else {
					s.result(e, "<subscriptions xmlns='"+ns.PAM+"' ver='v2'/>")
				}
			}
			first := r.run().connect()
			time.Sleep(10 * time.Second)
			stamp := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
			old := notifyText("v1", "news", "<delay xmlns='urn:xmpp:delay' stamp='"+stamp+"'/>")
			r.socket().push(old)
			time.Sleep(after)
			r.end(first)

			r.replay, r.number = []string{old}, 3 // after the answers to disco and to the list
			second := r.run().connect()
			time.Sleep(10 * time.Second)
			if s := second.Snapshot(); len(s.List) > 0 || s.Version != "v2" || second.State().Phase != pam.PhaseLive || !second.State().Resumed {
				t.Errorf("%v at %q, %+v\n%s", s.List, s.Version, second.State(), second.log())
			}
			r.end(second)
		})
	}
}

// TestReloadWithOtherCaps starts a newer program with more capabilities in the tab of
// an older one. It sends its capabilities once, before the list request.
func TestReloadWithOtherCaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReload(t)
		var sent []string
		r.list = func(s *socket, e *element.Element, ver string) {
			if ver == "v0" {
				s.result(e, "")
			} else {
				s.result(e, "<subscriptions xmlns='"+ns.PAM+"' ver='v0'/>")
			}
		}
		handle := r.scripted.handle
		r.scripted.handle = func(s *socket, e *element.Element) bool {
			if e.Name.Space == nsClient {
				sent = append(sent, e.Name.Local)
			}
			return handle(s, e)
		}
		run := func(software string) {
			sent = nil
			d := r.device(t, func(o *client.Options) { o.Store, o.Tab, o.Software = keep(r.kept), "tab", software }).connect()
			time.Sleep(time.Second)
			r.end(d)
		}
		run("old")
		d := r.device(t, func(o *client.Options) { o.Store, o.Tab, o.Software = keep(r.kept), "tab", "new" })
		if _, err := d.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.Sleep() // writes the session's record, and sends nothing
		time.Sleep(time.Second)
		r.end(d)
		for _, test := range []struct {
			software string
			want     []string
		}{{"new", []string{"presence", "iq"}}, {"new", []string{"iq"}}, {"old", []string{"presence", "iq"}}} {
			if run(test.software); !slices.Equal(sent, test.want) {
				t.Errorf("%s sent %q, want %q", test.software, sent, test.want)
			}
		}
	})
}

// TestReloadsAreNoSessions counts the sessions after which the client requests the list
// without a version: neither a resumption within a run nor a reload that resumes counts.
func TestReloadsAreNoSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReload(t)
		r.list = func(s *socket, e *element.Element, ver string) {
			if ver == "v0" {
				s.result(e, "")
			} else {
				s.result(e, "<subscriptions xmlns='"+ns.PAM+"' ver='v0'/>")
			}
		}
		d := r.run().connect()
		for range 30 {
			time.Sleep(time.Second)
			r.socket().fail(errors.New("reset"))
			time.Sleep(10 * time.Second)
		}
		for range 30 {
			time.Sleep(time.Second)
			r.end(d)
			if d = r.run().connect(); !d.State().Resumed {
				t.Fatalf("not resumed\n%s", d.log())
			}
		}
		if len(r.listed()) != 31 || slices.Contains(r.listed()[1:], "") {
			t.Errorf("lists with %q", r.listed())
		}
		r.resumer.refuse = true
		for range 25 {
			time.Sleep(time.Second)
			r.end(d)
			d = r.run().connect()
		}
		if full := slices.Index(r.listed()[31:], ""); full != 19 { // the 21st session
			t.Errorf("without a version in new session %d of %q", full+2, r.listed()[31:])
		}
		r.end(d)
	})
}
