package hostmeta

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"xmpp-pam/sdk/transport"
)

var texts = []string{
	exampleJRD, jsonOf("wss://a/"), `{"a":{"b":[[],{}, "\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"]}}`,
	`0`, `-0`, `1.5e-7`, `01`, `1.`, `.5`, `-`, `1e`, `+1`, `0x1`, `"`, `"\`, `"\u12`, `"\u+123"`, `"\ud83d\u0041"`, `"\udc00"`, `"\ud83d\t"`, `"\ud83d\u"`, "\"\x1f\"", `"\x"`, "\"\x7f\"",
	`[1,]`, `[,1]`, `[1 2]`, `{"a":1,}`, `{"a" 1}`, `{a:1}`, `{"a":1,"\u0061":2}`, `{"":null}`, ` [ ] `, "\v[]", `nul`, `truefalse`, `[] []`, "\xff", "",
	strings.Repeat("[", 32) + strings.Repeat("]", 32), strings.Repeat("[", 33) + strings.Repeat("]", 33), strings.Repeat("[", 34) + strings.Repeat("]", 34),
}

// FuzzJSON reads like encoding/json, and refuses besides only what I-JSON
// forbids or is too deep.
func FuzzJSON(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ours, err := readJSON(text)
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		var theirs any
		if !json.Valid([]byte(text)) {
			if err == nil {
				t.Fatalf("%q was accepted as %#v", text, ours)
			}
			return
		}
		if theirErr := decoder.Decode(&theirs); theirErr != nil {
			t.Fatal(theirErr)
		}
		switch {
		case errors.Is(err, errDepth) && strings.Count(text, "[")+strings.Count(text, "{") > maxDepth:
		case errors.Is(err, errUTF8) && !utf8.ValidString(text):
		case errors.Is(err, errSurrogate) && strings.Contains(strings.ToLower(text), `\ud`):
		case errors.Is(err, errDuplicate) && strings.Count(text, ":") > 1:
		case err != nil:
			t.Fatalf("%q: %v", text, err)
		case !reflect.DeepEqual(plain(ours), theirs):
			t.Fatalf("%q\n ours   %#v\n theirs %#v", text, ours, theirs)
		}
	})
}

// plain replaces our type of numbers by theirs.
func plain(v any) any {
	switch v := v.(type) {
	case number:
		return json.Number(v)
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = plain(v[name])
		}
	}
	return v
}

// FuzzHostMeta uses arbitrary texts as both documents. An endpoint that is found must
// be encrypted and must appear in the text.
func FuzzHostMeta(f *testing.F) {
	for _, text := range append(texts, exampleXRD, xml("ws://localhost/", "wss://b/"), "<!--<!---->-->", xml("a")+"<!--") {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, domain := range []string{"example.org", "localhost"} {
			at, err := Find(context.Background(), same(text), domain)
			var why *Error
			switch {
			case err == nil && !at.TLS && (domain != "localhost" || !isLoopback(at.Host)), err == nil && at.Host == "":
				t.Fatalf("%q leads to %+v", text, at)
			case err != nil && (!errors.As(err, &why) || at != Endpoint{} || why.Retry):
				t.Fatalf("%q: %+v, %#v", text, at, err)
			}
		}
	})
}

// same is a site that gives one text for everything.
type same string

func (s same) Fetch(context.Context, string) (transport.Response, error) {
	return transport.Response{Status: 200, Body: string(s)}, nil
}
