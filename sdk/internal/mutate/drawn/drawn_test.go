package main

import (
	"slices"
	"strings"
	"testing"

	"xmpp-pam/sdk/internal/mutate"
)

const text = `package p

const limit = 7

func (o *owner) end(a, b int) {
	if a < b {
		o.send(a, b)
		o.count++
	}
	switch {
	case a == 2:
		o.done = true
	}
}
`

// generated returns the mutants of source by ID.
func generated(t *testing.T, source string) map[string]Mutant {
	t.Helper()
	all, err := generate("/r", mutate.Tree{"/r/sdk/p/p.go": []byte(source), "/r/demo/p.go": []byte(source)}, []string{"sdk"})
	if err != nil {
		t.Fatal(err)
	}
	identify(all)
	byID := map[string]Mutant{}
	for _, m := range all {
		byID[m.ID] = m
	}
	if len(byID) != len(all) {
		t.Errorf("%d mutants have %d IDs", len(all), len(byID))
	}
	return byID
}

func TestGenerate(t *testing.T) {
	got := generated(t, text)
	for id, want := range map[string]string{
		"off by one limit: 7":                      "limit = (7 + 1)\n",
		"negate owner.end: a < b":                  "if !(a < b) {",
		"boundary owner.end: a < b":                "if a <= b {",
		"drop call owner.end: o.send(a, b)":        "if false { o.send(a, b) }\n",
		"swap owner.end: a, b":                     "o.send(b, a)",
		"drop assignment owner.end: o.count++":     "if false { o.count++ }\n",
		"negate owner.end: a == 2":                 "case !(a == 2):",
		"off by one owner.end: 2":                  "case a == (2 + 1):",
		"drop assignment owner.end: o.done = true": "if false { o.done = true }\n",
	} {
		m, ok := got[id]
		if mutant := text[:m.From] + m.New + text[m.To:]; !ok || m.File != "sdk/p/p.go" || !strings.Contains(mutant, want) {
			t.Errorf("%s: %+v", id, m)
		}
		delete(got, id)
	}
	for id := range got {
		t.Errorf("also %s", id)
	}
}

// Coverage counts the line of a switch, not those of its cases.
func TestReach(t *testing.T) {
	got := generated(t, text)
	if m := got["off by one owner.end: 2"]; m.Line != 11 || m.Reach != 10 || m.Outside {
		t.Errorf("%+v", m)
	}
	if m := got["off by one limit: 7"]; !m.Outside {
		t.Errorf("%+v", m)
	}
	seen := test{Lines: map[string][][2]int{"p.go": {{3, 5}}}}
	for line, want := range map[int]bool{2: false, 3: true, 5: true, 6: false} {
		if seen.reaches("p.go", line, false) != want || seen.reaches("q.go", line, true) || !seen.reaches("p.go", line, true) {
			t.Errorf("line %d", line)
		}
	}
}

// A place keeps its ID and its rank when others are added, and in another folder.
func TestDraw(t *testing.T) {
	order := func(source, seed string) (ids []string) {
		var all []Mutant
		for _, m := range generated(t, source) {
			all = append(all, m)
		}
		draw(all, seed)
		for _, m := range all {
			ids = append(ids, m.ID)
		}
		return ids
	}
	before := order(text, "1")
	after := order(strings.Replace(text, "\tif a", "\to.begin()\n\tif a", 1), "1")
	after = slices.DeleteFunc(after, func(id string) bool { return strings.Contains(id, "begin") })
	if !slices.Equal(before, after) {
		t.Errorf("%q\n%q", before, after)
	}
	if slices.Equal(before, order(text, "2")) {
		t.Error("two seeds draw the same")
	}
}

func TestHolds(t *testing.T) {
	for _, c := range []struct {
		verdict, source, tests string
		want                   bool
	}{
		{found, "s", "t", true}, {found, "s", "u", true}, {found, "r", "t", false},
		{survived, "s", "t", true}, {survived, "s", "u", false}, {endless, "s", "u", false}, {unreached, "s", "u", false}, {invalid, "s", "u", true},
	} {
		if got := (Result{Verdict: c.verdict, Source: "s", Tests: "t"}).holds(c.source, c.tests); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
