package inbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"xmpp-pam/sdk/pam"
)

// TestReplacedBodies replaces a store by an empty one: of the events whose payload is not in
// memory, because it is long or because they are not among the newest, the list says that
// it cannot be read; the others have it. This stays so in the next run of the program.
func TestReplacedBodies(t *testing.T) {
	long := strings.Repeat("x", maxInline+1)
	const page = 3
	for _, tt := range []struct {
		name    string
		lines   []string
		pending bool     // the commit of the last line
		wanted  []string // the payloads, newest first; "?" for one that cannot be read
	}{
		{"long and short", []string{"live 1 a/n i1=" + long, "live 2 a/n i2=short"}, false, []string{"short", "?"}},
		{"of one record", []string{"live 1 a/n i1=" + long + " i2=short"}, false, []string{"short", "?"}},
		{"long ones only", []string{"live 1 a/n i1=" + long + " i2=" + long}, false, []string{"?", "?"}},
		{"without a payload", []string{"live 1 a/n -i1 !purged"}, false, []string{"", ""}},
		{"one that waits for its commit", []string{"live 1 a/n i1=" + long, "live 2 a/n i2=" + long + " i3=short"}, true, []string{"short", long, "?"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlayer(t, Options{page: page})
			p.step(Stored{})
			last := len(tt.lines) - 1
			for _, line := range tt.lines[:last] {
				p.run(p.read(line))
			}
			if p.step(p.read(tt.lines[last])); !tt.pending {
				p.run(p.read("ok"))
			}
			for _, next := range []string{"replaced", "reload"} {
				p.run(p.read(next))
				page, _ := p.m.List(Query{})
				values, err := p.store.Get(context.Background(), page.Keys...)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, e := range page.Events(values) {
					_, text, _ := strings.Cut(strings.TrimSuffix(e.XML, "</p>"), ">")
					switch {
					case e.Omitted == pam.OmittedUnreadable && e.XML == "":
						text = "?"
					case e.Omitted != "":
						text = string(e.Omitted)
					}
					got = append(got, text)
				}
				if !slices.Equal(got, tt.wanted) {
					t.Errorf("%s: got %.40q, want %.40q", next, got, tt.wanted)
				}
			}
		})
	}

	p := newPlayer(t, Options{page: page}) // and the events after the newest page
	p.step(Stored{})
	const events = page + pageExtra + 4
	for i := range events {
		p.run(p.read(fmt.Sprintf("live %d a/n i%d=x", i+1, i)))
	}
	p.run(p.read("replaced"))
	got := strings.Fields(p.list(Query{}))
	if n := len(slices.DeleteFunc(got, func(s string) bool { return !strings.Contains(s, "=unreadable") })); n == 0 || n > events-page {
		t.Errorf("%d of %d payloads cannot be read", n, events)
	}
}
