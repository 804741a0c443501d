//go:build !js

package web

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"xmpp-pam/sdk/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFetch(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/text", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("hello" + r.Header.Get("Cookie"))) })
	mux.HandleFunc("/full", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, transport.MaxBody)) })
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, transport.MaxBody+1)) })
	mux.Handle("/moved", http.RedirectHandler("/text", http.StatusFound))
	mux.HandleFunc("/short", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("hello"))
	})
	mux.HandleFunc("/silent", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	server := httptest.NewTLSServer(mux)
	defer server.Close()

	client := server.Client()
	client.Jar, _ = cookiejar.New(nil)
	where, _ := url.Parse(server.URL)
	client.Jar.SetCookies(where, []*http.Cookie{{Name: "secret", Value: "x"}})
	for _, tt := range []struct {
		path   string
		status int
		body   string
		err    string
	}{
		{"/text", 200, "hello", ""},
		{"/full", 200, strings.Repeat("\x00", transport.MaxBody), ""},
		{"/large", 0, "", "larger than 65536 bytes"},
		{"/moved", 302, "", ""},
		{"/missing", 404, "", ""},
		{"/short", 0, "", "unexpected EOF"},
		{"/silent", 0, "", "deadline"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if tt.path == "/silent" {
			ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
		}
		got, err := (&Fetcher{HTTPClient: client}).Fetch(ctx, server.URL+tt.path)
		cancel()
		if got.Status != tt.status || got.Body != tt.body || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: status %d, %d bytes, %v", tt.path, got.Status, len(got.Body), err)
		}
	}
	// The certificate counts.
	if _, err := new(Fetcher).Fetch(t.Context(), server.URL+"/text"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown certificate gave %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestBodyIsClosed fetches documents of which Fetch reads all, a part or nothing.
func TestBodyIsClosed(t *testing.T) {
	for status, text := range map[int]string{
		http.StatusOK:                    "hello",
		http.StatusFound:                 "elsewhere",
		http.StatusRequestEntityTooLarge: strings.Repeat("x", transport.MaxBody+1),
	} {
		body := &closed{Reader: strings.NewReader(text)}
		f := Fetcher{HTTPClient: &http.Client{Transport: answer(func() *http.Response {
			return &http.Response{StatusCode: status, Body: body}
		})}}
		if got, err := f.Fetch(t.Context(), "https://localhost/"); err != nil || got.Status != status || body.times != 1 {
			t.Errorf("%d: got %+v, %v; closed %d times", status, got, err, body.times)
		}
	}
}

type answer func() *http.Response

func (a answer) RoundTrip(*http.Request) (*http.Response, error) { return a(), nil }

// A closed body counts calls of Close.
type closed struct {
	*strings.Reader
	times int
}

func (c *closed) Close() error {
	c.times++
	return nil
}
