package mutate

import (
	"strings"
	"testing"
)

const text = `package p

const limit = 10 * second

func (o *owner) end(err error) {
	if n := size(err); n > limit || o.gone {
		_ = o.close(1, "x")
	}
	for _, r := range o.all {
		r.stop(limit, 2)
		o.left, o.right = 1, 2
	}
	switch {
	case o.gone:
		o.count++
	}
	o.send(item{a: 1}, 2)
}

func end() bool { return false }
`

func TestEdits(t *testing.T) {
	tree := Tree{"p.go": []byte(text)}
	for _, c := range []struct {
		edit     Edit
		old, new string
	}{
		{Edit{"limit", "*", "$1 / $2"}, "10 * second", "10 / second"},
		{Edit{"owner.end", "if size", "!($0)"}, "n > limit || o.gone {", "!(n > limit || o.gone) {"},
		{Edit{"owner.end", "|| gone", "$2"}, "n > limit || o.gone {", "o.gone {"},
		{Edit{"owner.end", "all if", ""}, "if n := size(err); n > limit || o.gone {\n\t\t_ = o.close(1, \"x\")\n\t}\n", "\n"},
		{Edit{"owner.end", "all call close", ""}, "_ = o.close(1, \"x\")", ""},
		{Edit{"owner.end", `call close "x"`, "$f($2)"}, "o.close(1, \"x\")", "o.close(\"x\")"},
		{Edit{"owner.end", "for all", "$0[:1]"}, "o.all {", "o.all[:1] {"},
		{Edit{"owner.end", "assign right", "$1 = 2, 1"}, "1, 2\n", "2, 1\n"},
		{Edit{"owner.end", "case gone", "false"}, "case o.gone", "case false"},
		{Edit{"owner.end", "++", "$1--"}, "count++", "count--"},
		{Edit{"owner.end", "field a", "a: -$1"}, "a: 1", "a: -1"},
		{Edit{"owner.end", "call 2/4", "$f()"}, "o.close(1, \"x\")", "o.close()"},
		{Edit{"p.end", "return", "return true"}, "return false", "return true"},
	} {
		got, err := tree.Apply([]Edit{c.edit})
		if want := strings.Replace(text, c.old, c.new, 1); err != nil || want == text || string(got["p.go"]) != want {
			t.Errorf("%q: %v\n%s", c.edit, err, got["p.go"])
		}
	}
	both, err := tree.Apply([]Edit{{"owner.end", "call stop", "$f(2)"}, {"owner.end", "call stop", "$0\n$0"}})
	if err != nil || !strings.Contains(string(both["p.go"]), "r.stop(2)\nr.stop(2)\n") {
		t.Errorf("two edits: %v\n%s", err, both["p.go"])
	}
}

// TestEditsGone checks that a place that does not exist, or is ambiguous, is an error.
func TestEditsGone(t *testing.T) {
	tree := Tree{"p.go": []byte(text)}
	for _, e := range []Edit{
		{"owner.begin", "if", ""}, {"end", "return", ""}, {"wner.end", "if", ""}, {"owner.end", "if left", ""}, {"owner.end", "call", ""},
		{"owner.end", "call 1/3", ""}, {"owner.end", "call 5/4", ""}, {"owner.end", "call o", ""}, {"owner.end", "assign o", ""}, {"owner.end", "all", ""}, {"owner.end", "", ""},
	} {
		if got, err := tree.Apply([]Edit{e}); err == nil {
			t.Errorf("%q changes\n%s", e, got["p.go"])
		}
	}
}
