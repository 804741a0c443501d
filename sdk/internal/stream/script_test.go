package stream_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/sasl"
	"xmpp-pam/sdk/internal/stream"
)

// A script is a dialogue, one line per event. Inputs:
//
//	S: <xml/>            a message arrives
//	do opened            so do closed, closed!, close, tick, later 20s,
//	                     password x, no password, send <xml/>
//
// and after each input the outputs it must have, all of them, in order:
//
//	C: <xml/>            Write; C! if it is secret
//	= need A B           NeedCredentials
//	= derive hash n      Derive; "do derived" answers it
//	= authenticated A    Authenticated
//	= bound jid          Bound
//	= deliver <xml/>     Deliver
//	= dropped words      Dropped; the error has the words
//	= timer 20s          SetTimer, from now; or none
//	= hangup code cond retry: words
//
// {text} stands for the base64 form of text. Empty lines and lines that start
// with # mean nothing.

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// config logs in user@example.org with the nonce of the example in RFC 7677 §3.
func config() stream.Config {
	return stream.Config{
		Account:   jid.MustParse("user@example.org"),
		Nonce:     func() string { return "rOprNGfwEbeRWgbNEkqO" },
		ID:        func() string { return "id1" },
		Encrypted: true,
	}
}

// derived is the key of the example in RFC 7677 §3.
var derived = func() []byte {
	salt, _ := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	key, _ := sasl.Derivation{Hash: "SHA-256", Password: "pencil", Salt: salt, Iterations: 4096, Size: 32}.Key(nil)
	return key
}()

// play returns the stream as the script leaves it.
func play(t *testing.T, cfg stream.Config, script string) *stream.Stream {
	t.Helper()
	s, err := stream.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	now := start
	handled := handledSeq(cfg.Resume)
	var got []string
	settle := func() {
		t.Helper()
		if len(got) > 0 {
			t.Fatalf("also output:\n\t%s", strings.Join(got, "\n\t"))
		}
	}
	for n, line := range strings.Split(script, "\n") {
		line = expand(strings.TrimSpace(line))
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == 'C' || line[0] == '=' {
			if len(got) == 0 {
				t.Fatalf("line %d: nothing was put out; want:\n\t%s", n+1, line)
			}
			if !matches(got[0], line) {
				t.Fatalf("line %d: output:\n\t%s\nwant:\n\t%s", n+1, got[0], line)
			}
			got = got[1:]
			continue
		}
		settle()
		in := input(t, line, &now)
		if h, ok := in.(stream.Handled); ok { // A script says how many more.
			handled += h.Seq
			in = stream.Handled{Seq: handled}
		}
		for _, out := range s.Step(now, in) {
			got = append(got, render(out, now))
		}
	}
	settle()
	return s
}

var braces = regexp.MustCompile(`\{[^}]*\}`)

func expand(line string) string {
	return braces.ReplaceAllStringFunc(line, func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(s[1:len(s)-1], `\0`, "\x00")))
	})
}

// handledSeq is the number of the last stanza of a session that is handled.
func handledSeq(r *stream.Resumption) uint64 {
	if r == nil {
		return 0
	}
	return r.Seq - uint64(len(r.Waiting)+r.Early)
}

// further says that n more stanzas are handled, or all that there are.
func further(s *stream.Stream, n int) stream.Handled {
	r := s.Resumption()
	return stream.Handled{Seq: min(handledSeq(r)+uint64(n), r.Seq)}
}

func input(t testing.TB, line string, now *time.Time) stream.Input {
	t.Helper()
	if text, ok := strings.CutPrefix(line, "S:"); ok {
		return stream.Message{Text: strings.TrimPrefix(text, " ")}
	}
	verb, rest, _ := strings.Cut(strings.TrimPrefix(line, "do "), " ")
	switch verb {
	case "opened":
		return stream.Opened{}
	case "closed":
		return stream.Closed{}
	case "closed!":
		return stream.Closed{Err: errors.New("broken pipe")}
	case "close":
		return stream.Close{}
	case "handled", "saved":
		n, err := strconv.ParseUint(rest, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		if verb == "handled" {
			return stream.Handled{Seq: n}
		}
		return stream.Saved{H: uint32(n)}
	case "probe":
		return stream.Probe{}
	case "sleep":
		return stream.Sleep{}
	case "tick":
		return stream.Tick{}
	case "later":
		d, err := time.ParseDuration(rest)
		if err != nil {
			t.Fatal(err)
		}
		*now = now.Add(d)
		return stream.Tick{}
	case "password":
		return stream.Credentials{Password: rest}
	case "derived":
		return stream.Derived{Key: derived}
	case "underived":
		return stream.Derived{Err: errors.New("it took too long")}
	case "no":
		return stream.Credentials{Err: errors.New("cancelled")}
	case "send":
		e, err := element.Parse(rest, nil)
		if err != nil {
			t.Fatal(err)
		}
		return stream.Send{Stanza: e}
	}
	t.Fatalf("unknown line %q", line)
	return nil
}

func render(out stream.Output, now time.Time) string {
	switch out := out.(type) {
	case stream.Write:
		if out.Secret {
			return "C! " + out.Text
		}
		return "C: " + out.Text
	case stream.NeedCredentials:
		return "= need " + strings.Join(out.Mechanisms, " ")
	case stream.Derive:
		return fmt.Sprintf("= derive %s %d", out.Hash, out.Iterations)
	case stream.Authenticated:
		return "= authenticated " + out.Mechanism
	case stream.Bound:
		return "= bound " + out.JID.String()
	case stream.Resumed:
		return "= resumed " + out.JID.String()
	case stream.Deliver:
		return "= deliver " + out.Stanza.String()
	case stream.Dropped:
		return "= dropped " + out.Err.Error()
	case stream.SetTimer:
		if out.At.IsZero() {
			return "= timer none"
		}
		return "= timer " + out.At.Sub(now).String()
	case stream.Hangup:
		if out.Err == nil {
			return "= hangup"
		}
		words := []string{"= hangup", string(out.Err.Code), out.Err.Condition, ""}
		if out.Err.Retry {
			words[3] = "retry"
		}
		return strings.Join(strings.Fields(strings.Join(words, " ")), " ") + ": " + out.Err.Text
	}
	return fmt.Sprintf("= %T", out)
}

// matches compares XML by what it means, hangups by their words before the
// colon and some words after it, and all else literally.
func matches(got, want string) bool {
	kind := strings.SplitN(want, " ", 3)
	switch {
	case kind[0] != "=":
		return strings.HasPrefix(got, kind[0]+" ") && canonical(got[3:]) == canonical(want[3:])
	case kind[1] == "deliver":
		rest, ok := strings.CutPrefix(got, "= deliver ")
		return ok && canonical(rest) == canonical(kind[2])
	case kind[1] == "dropped":
		words := strings.TrimPrefix(want, "= dropped")
		return strings.HasPrefix(got, "= dropped") && strings.Contains(got, strings.TrimSpace(words))
	case kind[1] == "hangup":
		wantHead, wantText, _ := strings.Cut(want, ":")
		gotHead, gotText, _ := strings.Cut(got, ":")
		return gotHead == wantHead && strings.Contains(gotText, strings.TrimSpace(wantText))
	}
	return got == want
}

func canonical(xml string) string {
	e, err := element.Parse(xml, nil)
	if err != nil {
		return "not XML: " + xml
	}
	return e.String()
}
