//go:build js && wasm

package fetch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/transport"
	"xmpp-pam/wasm/internal/hosttest"
)

func TestFetch(t *testing.T) {
	whole := strings.Repeat("é", transport.MaxBody/2)
	for _, tt := range []struct {
		name   string
		query  url.Values
		status int
		body   string
		err    string
	}{
		{"a text", url.Values{"body": {"{}"}}, 200, "{}", ""},
		{"nothing", url.Values{}, 200, "", ""},
		{"as much as may be", url.Values{"body": {"é"}, "times": {fmt.Sprint(transport.MaxBody / 2)}}, 200, whole, ""},
		{"a byte more", url.Values{"body": {"x"}, "times": {fmt.Sprint(transport.MaxBody + 1)}}, 0, "", "larger than 65536 bytes"},
		{"far more", url.Values{"body": {"x"}, "times": {"50000000"}}, 0, "", "larger than 65536 bytes"},
		{"no UTF-8", url.Values{"body": {"a\xff"}}, 0, "", "not UTF-8"},
		{"UTF-8 that breaks off", url.Values{"body": {"a\xc3"}}, 0, "", "not UTF-8"},
		{"not found", url.Values{"status": {"404"}, "body": {"nothing is here"}}, 404, "", ""},
		{"out of order", url.Values{"status": {"503"}}, 503, "", ""},
		{"a redirection", url.Values{"to": {"/peer/text?body=x"}}, 0, "", "CORS"},
	} {
		got, err := New(hosttest.Host(t)).Fetch(t.Context(), address(t, tt.query))
		if got.Status != tt.status || got.Body != tt.body || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: status %d, %d bytes, %v", tt.name, got.Status, len(got.Body), err)
		}
	}
	// No server listens there, and the page's policy forbids the request.
	for _, u := range []string{"https://127.0.0.1:1/", "http://", "javascript:1"} {
		if got, err := New(hosttest.Host(t)).Fetch(t.Context(), u); err == nil || got.Status != 0 {
			t.Errorf("%s: %+v, %v", u, got, err)
		}
	}
}

// TestPieces splits random documents at random positions. Every document must arrive
// unchanged or be rejected, and the request must be aborted if its rest is not read.
func TestPieces(t *testing.T) {
	const at = "https://pieces.example/"
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	char := func() string { return []string{"a", "\x00", "é", "名", "😀"}[random.IntN(5)] }
	for range 300 {
		text, err := "", ""
		for range random.IntN(20) {
			text += char()
		}
		breaks := false
		switch random.IntN(8) {
		case 0:
			text += "名😀"[:[]int{1, 2, 4, 5, 6}[random.IntN(5)]] // It breaks off.
			err = "not UTF-8"
		case 1:
			text += "\xff" + char()
			err = "not UTF-8"
		case 2:
			breaks = true
			err = "the connection is lost"
		case 3:
			text += strings.Repeat("x", transport.MaxBody-len(text))
		case 4:
			text += strings.Repeat("x", transport.MaxBody+1-len(text))
			err = "larger than"
		}
		ends := []any{len(text)}
		for range random.IntN(6) {
			ends = append(ends, random.IntN(len(text)+1))
		}
		for near := range min(random.IntN(9), len(text)) { // Some of these are inside a character.
			ends = append(ends, near)
		}
		slices.SortFunc(ends, func(a, b any) int { return a.(int) - b.(int) })
		bytes := make([]rune, len(text))
		for i := range len(text) {
			bytes[i] = rune(text[i])
		}
		answer := hosttest.Must(hosttest.Host(t).Call("answerInPieces", at, string(bytes), hosttest.Must(safejs.ValueOf(ends)), breaks))
		got, failure := New(hosttest.Host(t)).Fetch(t.Context(), at)
		hosttest.Must(answer.Call("restore"))
		switch {
		case err == "" && (failure != nil || got.Status != 200 || got.Body != text):
			t.Fatalf("%d bytes %.40q split at %d: status %d, %d bytes %.40q, %v", len(text), text, ends, got.Status, len(got.Body), got.Body, failure)
		case err != "" && (failure == nil || !strings.Contains(failure.Error(), err) || got.Body != ""):
			t.Fatalf("%d bytes %.40q split at %d: %.40q, %v; want one with %q", len(text), text, ends, got.Body, failure, err)
		}
		for end := time.Now().Add(time.Second); !hosttest.Must(hosttest.Must(answer.Call("aborted")).Bool()); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the request is open")
			}
		}
	}
}

func TestCancelledFetch(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := New(hosttest.Host(t)).Fetch(ctx, address(t, url.Values{"wait": {"x"}})); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if _, err := New(hosttest.Host(t)).Fetch(ctx, address(t, url.Values{})); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("after the end: %v", err)
	}
}

// TestEndOfTheProgram checks that the host cancels the requests of a program that has
// ended.
func TestEndOfTheProgram(t *testing.T) {
	host := hosttest.Must(hosttest.Host(t).Call("endingHost"))
	listeners := func() int { return hosttest.Must(hosttest.Must(host.Call("listeners")).Int()) }
	if _, err := New(host).Fetch(t.Context(), address(t, url.Values{"body": {"x"}})); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, _ = New(host).Fetch(ctx, address(t, url.Values{"wait": {"x"}}))
	time.Sleep(10 * time.Millisecond)
	if n := listeners(); n != 0 {
		t.Fatalf("%d listeners after two requests", n)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	go func() {
		time.Sleep(20 * time.Millisecond)
		hosttest.Must(host.Call("end"))
	}()
	_, err := New(host).Fetch(ctx, address(t, url.Values{"wait": {"x"}}))
	if !errors.Is(err, context.DeadlineExceeded) { // onDone is not called any more
		t.Errorf("error %v, want context.DeadlineExceeded", err)
	}
	if n := listeners(); n != 0 {
		t.Fatalf("%d listeners after the end", n)
	}
}

func TestFetchReleasesValues(t *testing.T) {
	work := func() int {
		for range 30 {
			if _, err := New(hosttest.Host(t)).Fetch(t.Context(), address(t, url.Values{"body": {"x"}})); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			_, _ = New(hosttest.Host(t)).Fetch(ctx, address(t, url.Values{"wait": {"x"}}))
			cancel()
		}
		return hosttest.Values(t)
	}
	before := work()
	if after := work(); after > before+20 {
		t.Fatalf("Go holds %d JavaScript values, %d before 60 requests", after, before)
	}
}

// address returns an address of one of the runner's servers.
func address(t testing.TB, query url.Values) string {
	t.Helper()
	origin := hosttest.Must(hosttest.Must(safejs.Global().Get("location")).Get("origin"))
	return hosttest.Must(origin.String()) + "/peer/text?" + query.Encode()
}
