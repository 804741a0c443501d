//go:build !js

package client_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

const nsSM = "urn:xmpp:sm:3"

// A resumer is a script that resumes sessions (XEP-0198), or refuses to.
type resumer struct {
	refuse   bool
	location string   // of <enabled/>
	h        int      // stanzas of the client that have arrived
	asked    []string // the h of every <resume/>
	acked    string   // the h of the last <a/> of the client
	binds    int
	ignored  func(e *element.Element) bool // elements that are lost on the way
}

func (r *resumer) handle(s *socket, e *element.Element) bool {
	if r.ignored != nil && r.ignored(e) {
		return true
	}
	switch {
	case e.Is(nsFraming, "open") && s.authed:
		s.open("<bind xmlns='" + nsBind + "'/><sm xmlns='" + nsSM + "'/>")
		return true
	case e.Is(nsSM, "enable"):
		r.h = 0
		s.push("<enabled xmlns='" + nsSM + "' id='sm1' resume='true' location='" + r.location + "'/>")
		return true
	case e.Is(nsSM, "resume"):
		r.asked = append(r.asked, e.Attr("h"))
		if r.refuse {
			s.push("<failed xmlns='" + nsSM + "'/>")
		} else {
			s.push("<resumed xmlns='" + nsSM + "' previd='sm1' h='" + strconv.Itoa(r.h) + "'/>")
		}
		return true
	case e.Is(nsSM, "r"):
		s.push("<a xmlns='" + nsSM + "' h='" + strconv.Itoa(r.h) + "'/>")
		return true
	case e.Is(nsSM, "a"):
		r.acked = e.Attr("h")
		return true
	case e.Child(nsBind, "bind") != nil:
		r.binds++
	case e.Name.Space == nsClient:
		r.h++
	}
	return false
}

// ask asks the client of a bubble how many stanzas it has handled, and returns its
// answer.
func (r *resumer) ask(s *socket) string {
	s.server.set(func() { r.acked = "" })
	s.push("<r xmlns='" + nsSM + "'/>")
	synctest.Wait()
	return r.acked
}

// TestRequestSurvivesResumption cuts the connection under a request that has
// not arrived: it is sent again, and nothing is listed anew.
func TestRequestSurvivesResumption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		f.handle = r.handle
		a := f.device(t).connect()
		r.ignored = isPAM
		done := a.subscribing(news)
		synctest.Wait()
		r.ignored = func(e *element.Element) bool {
			if isPAM(e) {
				f.socket().notify("v1", "news", "subscribed")
			}
			return false
		}
		f.socket().fail(errors.New("reset"))
		if err := <-done; err != nil {
			t.Fatalf("%v\n%s", err, a.log())
		}
		if s := a.State(); !s.Resumed || s.Phase != pam.PhaseLive || len(f.listed()) != 1 || r.binds != 1 {
			t.Errorf("%+v after %d lists and %d binds\n%s", s, len(f.listed()), r.binds, a.log())
		}
		_ = a.Close()
	})
}

// TestRequestOfALostSession: the server has forgotten the session, so nobody
// knows what became of the request, and the list is asked for.
func TestRequestOfALostSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{refuse: true}
		f.handle = r.handle
		a := f.device(t).connect()
		r.ignored = isPAM
		done := a.subscribing(news)
		synctest.Wait()
		f.socket().fail(errors.New("reset"))
		if err := <-done; asError(t, err).Code != pam.CodeOutcomeUnknown {
			t.Errorf("subscribe gave %v", err)
		}
		synctest.Wait()
		if s := a.State(); s.Resumed || s.Phase != pam.PhaseLive || len(f.listed()) != 2 || r.binds != 2 {
			t.Errorf("%+v after %d lists and %d binds", s, len(f.listed()), r.binds)
		}
		_ = a.Close()
	})
}

// TestFailedListIsAskedForAnew loses the connection after the server could give
// no list, while the last one was too noisy to be trusted: once the session goes
// on, the list is asked for, and once more because its version is a new one.
func TestFailedListIsAskedForAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		lists, failing := 0, atomic.Bool{}
		f.handle = func(s *socket, e *element.Element) bool {
			if !isList(e) {
				handled := r.handle(s, e)
				if e.Is(nsSM, "resume") { // What was said of the list was not acknowledged: 6 answers and 4 notifies, and an answer to disco.
					s.push(slices.Repeat([]string{"<presence xmlns='jabber:client' from='alice@localhost'/>"}, 11)...)
				}
				return handled
			}
			r.h++
			lists++
			switch {
			case failing.Load():
				s.failure(e, "internal-server-error")
			case lists <= 4: // Something else is heard each time.
				s.notify(fmt.Sprint("v", lists), "news", "subscribed")
				s.result(e, "<subscriptions xmlns='"+ns.PAM+"' ver='v0'/>")
			default:
				s.result(e, "<subscriptions xmlns='"+ns.PAM+"' ver='v9'/>")
			}
			return true
		}
		a := f.device(t).connect()
		failing.Store(true)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if lists != 6 {
			t.Fatalf("%d lists were asked for\n%s", lists, a.log())
		}
		failing.Store(false)
		f.socket().fail(errors.New("reset"))
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if s := a.State(); !s.Resumed || s.Phase != pam.PhaseLive || lists != 8 || a.Snapshot().Version != "v9" {
			t.Errorf("%+v after %d lists, version %q\n%s", s, lists, a.Snapshot().Version, a.log())
		}
		_ = a.Close()
	})
}

// TestNextRunResumes ends the program without warning. The next one, in the same
// tab, goes on with the session: it asks for what was not stored, and for the
// list, with nothing before that.
func TestNextRunResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		var resumed []string // what was sent in the resumed session
		f.handle = func(s *socket, e *element.Element) bool {
			if handled := r.handle(s, e); handled || len(r.asked) == 0 {
				return handled
			}
			resumed = append(resumed, e.Name.Local)
			return nothingSince("v1")(s, e)
		}
		kept := store.NewMemory()
		run := func() *device {
			return f.device(t, inTab(keep(kept), "tab")).connect()
		}
		a := run()
		f.socket().notify("v1", "news", "subscribed")
		time.Sleep(time.Second)
		before := len(f.listed())
		f.set(func() { f.refuse = errors.New("the program is gone") })
		f.socket().fail(errors.New("reset"))
		f.set(func() { f.refuse = nil })

		b := run()
		if s := b.State(); !s.Resumed || s.Phase != pam.PhaseLive || !slices.Equal(f.listed()[before:], []string{"v1"}) || r.binds != 1 || !slices.Equal(resumed, []string{"iq"}) {
			t.Errorf("%+v after %d lists and %d binds\n%s", s, len(f.listed())-before, r.binds, b.log())
		}
		// The answers to disco and to the list, and the notify.
		if r.asked[0] != "3" {
			t.Errorf("asked from %v, want 3", r.asked)
		}
		b.waitNodes("news")
		_ = b.Close()
		if records, _ := kept.Scan(context.Background(), store.Range{From: "session/", To: "session0"}); len(records) > 0 {
			t.Error("the session is still stored after it was closed in order")
		}
		_ = a.Close()
	})
}

// nothingSince answers a list request with ver.
func nothingSince(ver string) func(s *socket, e *element.Element) bool {
	return func(s *socket, e *element.Element) bool {
		if !isList(e) || e.Child(ns.PAM, "subscriptions").Attr("ver") != ver {
			return false
		}
		s.result(e, "")
		return true
	}
}

// TestNextRunAfterARefusal: a session that was not resumed says nothing of the
// one after it. The second run is refused, begins anew and ends before it has
// the list; the third goes on with that session, and asks for the list.
func TestNextRunAfterARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		f.handle = r.handle
		kept := store.NewMemory()
		run := func() *device {
			d := f.device(t, inTab(keep(kept), "tab"))
			go d.Connect(t.Context())
			time.Sleep(time.Second) // and what is to be stored is
			synctest.Wait()
			return d
		}
		// The program ends without warning: what is stored by then stays.
		end := func(d *device) {
			records, _ := kept.Scan(t.Context(), store.Range{})
			kept = store.NewMemory()
			for _, record := range records {
				_ = kept.Commit(t.Context(), nil, []store.Op{store.Put(record.Key, record.Value)})
			}
			_ = d.Close()
			synctest.Wait()
		}
		end(run())

		f.set(func() {
			r.refuse, r.ignored = true, func(e *element.Element) bool {
				if isList(e) {
					r.h++ // It has arrived. The answer is late.
				}
				return isList(e)
			}
		})
		b := run()
		if len(r.asked) != 1 || r.binds != 2 {
			t.Fatalf("resumed %d times, bound %d times\n%s", len(r.asked), r.binds, b.log())
		}
		end(b)

		f.set(func() { r.refuse, r.ignored = false, nil })
		before := len(f.listed())
		c := run()
		if s := c.State(); !s.Resumed || s.Phase != pam.PhaseLive || len(f.listed()) != before+1 {
			t.Errorf("%+v after %d lists\n%s", s, len(f.listed())-before, c.log())
		}
		_ = c.Close()
	})
}
