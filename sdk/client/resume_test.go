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
	h        int      // stanzas of the client that the server has received
	asked    []string // the h of every <resume/>
	acked    string   // the h of the last <a/> of the client
	binds    int
	ignored  func(e *element.Element) bool // elements that the server does not receive
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

// requestAck requests an acknowledgement from the client of a bubble, and returns the
// number of stanzas that it has handled.
func (r *resumer) requestAck(s *socket) string {
	s.server.set(func() { r.acked = "" })
	s.push("<r xmlns='" + nsSM + "'/>")
	synctest.Wait()
	return r.acked
}

// TestRequestIsSentAgain cuts the connection before a request arrives: after the
// resumption the client sends it again, and requests no list.
func TestRequestIsSentAgain(t *testing.T) {
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

// TestRequestOfALostSession has the server drop the session, so that the outcome of the
// request is unknown: the client requests the list.
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

// TestFailedListIsRequestedAgain cuts the connection after the server has refused the
// list, when the round before had too many notifies to be committed: after the
// resumption the client requests the list, and once more because its version is new.
func TestFailedListIsRequestedAgain(t *testing.T) {
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
			case lists <= 4: // Another notify arrives each time.
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
			t.Fatalf("the client requested %d lists\n%s", lists, a.log())
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

// TestNextRunResumes crashes the program. The next run, in the same tab, resumes the
// session: it requests the stanzas that were not stored, and sends the list request
// first, and then asks what the account supports. It reads no node again.
func TestNextRunResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		var resumed []string // stanzas that the client sent in the resumed session
		asked := 0           // requests of the catch-up in it
		f.handle = func(s *socket, e *element.Element) bool {
			if handled := r.handle(s, e); handled || len(r.asked) == 0 {
				return handled
			}
			resumed = append(resumed, e.Name.Local)
			if isCatchUp(e) {
				asked++
			}
			return nothingSince("v1")(s, e)
		}
		kept := store.NewMemory()
		run := func() *device {
			return f.device(t, inTab(keep(kept), "tab")).connect()
		}
		a := run()
		f.socket().notify("v1", "news", "subscribed")
		time.Sleep(3 * time.Second) // The inbox stores after 2 s that the node is current.
		before := len(f.listed())
		f.set(func() { f.refuse = errors.New("the program is gone") })
		f.socket().fail(errors.New("reset"))
		f.set(func() { f.refuse = nil })

		b := run()
		synctest.Wait()
		if s := b.State(); !s.Resumed || s.Phase != pam.PhaseLive || !slices.Equal(f.listed()[before:], []string{"v1"}) || r.binds != 1 || len(resumed) < 2 || !slices.Equal(resumed[:2], []string{"iq", "iq"}) {
			t.Errorf("%+v after %d lists and %d binds, %q\n%s", s, len(f.listed())-before, r.binds, resumed, b.log())
		}
		// The answers to disco and to the list, the notify, and the answers to the catch-up.
		if r.asked[0] != "5" {
			t.Errorf("requested from %v, want 5", r.asked)
		}
		b.waitNodes("news")
		if s := b.inbox().CatchUp; asked > 0 || s.Phase != pam.CatchUpDone || s.NodesDone != 1 {
			t.Errorf("%d requests of a node of which nothing is missing, %+v\n%s", asked, s, b.log())
		}
		_ = b.Close()
		if records, _ := kept.Scan(context.Background(), store.Range{From: "session/", To: "session0"}); len(records) > 0 {
			t.Error("the session is still stored after Close")
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

// TestNextRunAfterARefusal checks that the record of a session that the server refused
// to resume does not affect the next session. The second run is refused, binds a new
// session and ends before it has the list; the third resumes that session, and requests
// the list.
func TestNextRunAfterARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, r := newScripted(), &resumer{}
		f.handle = r.handle
		kept := store.NewMemory()
		run := func() *device {
			d := f.device(t, inTab(keep(kept), "tab"))
			go d.Connect(t.Context())
			time.Sleep(time.Second) // until the client has stored everything
			synctest.Wait()
			return d
		}
		// The program crashes: the store keeps what was committed by then.
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
					r.h++ // The request has arrived. The answer is late.
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
