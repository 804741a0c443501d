//go:build js && wasm

package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/wasm/jstext"
)

// strictHost accepts no text longer than limit: it fails, accepts a part, or accepts
// nothing without an error.
func strictHost(t *testing.T, limit int, how string) (*bridge, *[]string) {
	t.Helper()
	var texts []string
	post, err := safejs.FuncOf(func(_ safejs.Value, args []safejs.Value) any {
		text, _ := args[0].String()
		if len(text) > limit {
			switch how {
			case "part":
				return jstext.Len(text[:limit])
			case "nothing":
				return 0
			default:
				return nil
			}
		}
		texts = append(texts, text)
		return jstext.Len(text)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(post.Release)
	b := newBridge(object(t, map[string]any{"post": post.Value()}))
	b.page(1)
	return b, &texts
}

// TestOnlyTooLongObjectsAreLost posts objects that are too long for the host together
// with others in the same turn.
func TestOnlyTooLongObjectsAreLost(t *testing.T) {
	for _, how := range []string{"part", "nothing", "no answer"} {
		for _, sizes := range [][]int{{10, 3000, 10}, {3000, 10, 20}, {10, 3000}, {3000}, {40, 50_000, 10, 3000, 10}, {900, 900, 900, 900}} {
			t.Run(fmt.Sprint(how, sizes), func(t *testing.T) {
				b, texts := strictHost(t, 1500, how)
				for i, size := range sizes {
					text := strings.Repeat("é", size/2)
					if i%2 == 0 {
						b.event(everyPage, "message", func(w *writer) { w.text("xml", fmt.Sprint(i, text)) })
					} else {
						b.succeed(request{page: b.page(1), id: i}, func(w *writer) { w.string(fmt.Sprint(i, text)) })
					}
				}
				b.stop()
				var got []string
				for _, text := range *texts {
					got = append(got, objects(t, text)...)
				}
				if len(got) != len(sizes) {
					t.Fatalf("%d objects arrived: %.300q", len(got), got)
				}
				for i, size := range sizes {
					want := fmt.Sprintf(`{"event":"message","xml":"%d`, i)
					switch {
					case size > 1500 && i%2 == 0:
						want = `{"event":"warning","error":{"code":"overflow"`
					case size > 1500:
						want = fmt.Sprintf(`{"id":%d,"error":{"code":"overflow"`, i)
					case i%2 != 0:
						want = fmt.Sprintf(`{"id":%d,"ok":"%d`, i, i)
					}
					if !strings.HasPrefix(got[i], want) {
						t.Errorf("object %d is %.200s, want %s", i, got[i], want)
					}
				}
			})
		}
	}
}

// TestLongObjectsHaveSeparateTexts checks that a long object is not posted in one text
// with the objects before and after it.
func TestLongObjectsHaveSeparateTexts(t *testing.T) {
	b, texts := strictHost(t, 1<<30, "part")
	for i, size := range []int{10, 100_000, 10, 10, 100_000, 10} {
		b.event(everyPage, "message", func(w *writer) { w.text("xml", fmt.Sprint(i)+strings.Repeat("x", size)) })
	}
	b.stop()
	var counts []int
	for _, text := range *texts {
		counts = append(counts, len(objects(t, text)))
	}
	if got := fmt.Sprint(counts); got != "[1 1 2 1 1]" {
		t.Errorf("the texts have %s objects", got)
	}
}

func TestUnresponsiveHostEndsTheProgram(t *testing.T) {
	b, _ := strictHost(t, 1, "nothing")
	b.event(everyPage, "more", func(*writer) {})
	select {
	case <-b.done:
	case <-time.After(time.Second):
		t.Fatal("the program did not end")
	}
}

// TestListOfLongRows checks that the length of a part of a list is bounded.
func TestListOfLongRows(t *testing.T) {
	b, texts := strictHost(t, 1<<30, "part")
	changes := make([]pam.Change, 100)
	for i := range changes {
		changes[i].After = &pam.Subscription{Key: pam.Key{Service: "s", Node: strings.Repeat("n", 60_000)}}
	}
	b.list(everyPage, "list", func() ([]pam.Change, func(*writer)) { return changes, func(*writer) {} })
	b.stop()
	rows := 0
	for _, text := range *texts {
		if len(text) > partSize+100_000 {
			t.Errorf("a text of %d bytes", len(text))
		}
		rows += strings.Count(text, "[null,")
	}
	if rows != len(changes) {
		t.Errorf("%d rows", rows)
	}
}

func TestMessages(t *testing.T) {
	p := newPeer(t)
	emit := func(text string, omitted client.Omitted) {
		p.onEvent(client.MessageReceived{From: "a@b", XML: text, Omitted: omitted})
	}
	const text = "<message xmlns=\"jabber:client\" from='a@b'>\n<x:y xmlns:x='\\'/></message>"
	emit(text, "") // there is no listener yet
	p.quiet()
	p.ask(map[string]any{"id": 0, "op": "listen", "messages": true})
	emit(text, "")
	p.want(`{"event":"message","from":"a@b","xml":"<message xmlns=\"jabber:client\" from='a@b'>\n<x:y xmlns:x='\\'/></message>"}`)
	emit("", client.OmittedUnreadable)
	if got, want := p.want(), `{"event":"message","from":"a@b","omitted":"unreadable"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	p.ask(map[string]any{"id": 0, "op": "listen", "messages": false})
	emit(text, "")
	p.quiet()
}

// TestFrames posts a message of the inspector: the answer to another, and the beginning
// of a long one.
func TestFrames(t *testing.T) {
	p := newPeer(t)
	p.onFrame(client.Frame{Seq: 7})
	p.quiet()
	p.page(1).frames = true
	p.onFrame(client.Frame{Seq: 8, At: time.UnixMilli(1_700_000_000_123), Kind: "iq", Layer: "pam", ID: "x",
		ReplyTo: 3, RTT: 1234567 * time.Microsecond, Bytes: 5, XML: "<iq/>"})
	p.want(`{"event":"frame","seq":8,"at":1700000000123,"out":false,"kind":"iq","layer":"pam","id":"x","replyTo":3,"rttMs":1234,"bytes":5,"xml":"<iq/>"}`)
	p.onFrame(client.Frame{Seq: 9, At: time.UnixMilli(5), Out: true, Kind: "message", Bytes: 70_000, XML: "<message"})
	p.want(`{"event":"frame","seq":9,"at":5,"out":true,"kind":"message","bytes":70000,"cut":true,"xml":"<message"}`)
}

// TestErrorsAreShort checks the limit of error texts, which other entities may write.
func TestErrorsAreShort(t *testing.T) {
	p := newPeer(t)
	long := "x" + strings.Repeat("é", 1_000_000) // the limit is inside a character
	p.warn(client.Warning{Err: &pam.Error{Code: pam.CodeStanza, Text: long, By: long, Condition: long, PubsubCondition: long, Err: errors.New(long)}})
	if got := p.want(`"event":"warning"`, "é…"); len(got) > 6000 || !strings.HasSuffix(got, "}}") {
		t.Errorf("a warning of %d bytes", len(got))
	}
	p.onEvent(client.StateChanged{State: pam.SyncState{Storage: pam.StorageState{Degraded: true, Err: errors.New(long)}}})
	if got := p.want(`"event":"state"`, "é…"); len(got) > 6000 {
		t.Errorf("a state of %d bytes", len(got))
	}
}
