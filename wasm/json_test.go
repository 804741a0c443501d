//go:build js && wasm

package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hack-pad/safejs"
)

// TestStringsForJSONParse checks that JSON.parse reads the strings that the writer writes.
func TestStringsForJSONParse(t *testing.T) {
	parser, err := safejs.Global().Get("JSON")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for c := range rune(0x3000) {
		all.WriteRune(c)
	}
	for _, s := range []string{"", "a", `"\/`, "\x00\x01\x1f\x7f", "\u2028\u2029", "é\U0001F600\uFFFD", "</script>", all.String(),
		"\xff", "a\xc3", "\xed\xa0\x80", strings.Repeat("x\n", 10_000)} {
		var w writer
		w.object(func() { w.key(s); w.array(func() { w.string(s) }) })
		if !utf8.ValidString(w.take()) {
			t.Errorf("%q is written as invalid UTF-8", s)
		}
		parsed, err := parser.Call("parse", w.take())
		if err != nil {
			t.Errorf("%q: %v", s, err)
			continue
		}
		want := strings.ToValidUTF8(s, "\uFFFD")
		if len(s) == 3 && s[0] == 0xed {
			want = "\uFFFD\uFFFD\uFFFD" // one for each byte
		}
		list, err := parsed.Get(want)
		if err != nil {
			t.Fatal(err)
		}
		item, err := list.Index(0)
		if err != nil {
			t.Errorf("%q: the key differs", s)
			continue
		}
		if got, _ := item.String(); got != want {
			t.Errorf("%q came out as %q", s, got)
		}
	}
}

func TestStructure(t *testing.T) {
	var w writer
	w.object(func() {
		w.text("empty", "")
		w.key("list")
		w.array(func() {
			w.array(func() {})
			w.int(-5)
			w.bool(true)
			w.null()
			w.time(time.Time{})
			w.time(time.UnixMilli(7))
			w.object(func() {})
			w.string(",")
			w.string("x")
		})
		w.text("text", "[")
		w.text("more", "y")
	})
	const want = `{"list":[[],-5,true,null,null,7,{},",","x"],"text":"[","more":"y"}`
	if w.take() != want {
		t.Errorf("got  %s\nwant %s", w.take(), want)
	}
}
