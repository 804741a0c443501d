package inbox

import (
	"strings"
	"testing"
	"time"
)

// TestListed plays inputs, of which a line "+1m" advances the clock, and checks the list that
// follows, newest first.
func TestListed(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"removed at a known time, published at an unknown one", []string{"catchup 0 a/n i1=x", "catchup 0 a/n -i1@10:00:00a", "catchup 0 a/n i1=x@10:10:00a"},
			"e1:i1=x@12:00:00l e3:i1=x@10:10:00a e2:-i1@10:00:00a"},
		{"published at a known time, removed at an unknown one", []string{"catchup 0 a/n i1=x@10:00:00a", "catchup 0 a/n -i1", "+15m", "catchup 0 a/n i1=x@12:10:00a"},
			"e3:i1=x@12:10:00a e2:-i1@12:00:00l e1:i1=x@10:00:00a"},
		{"removed by a clock that is ahead, and published at an unknown time", []string{"catchup 0 a/n -i1@12:04:00a", "catchup 0 a/n i1=x", "+15m", "catchup 0 a/n i1=x@12:10:00a"},
			"e1:-i1@12:04:00a e2:i1=x@12:10:00a"},
		{"of two removals, that at an unknown time came first", []string{"catchup 0 a/n i1=x@09:00:00a", "catchup 0 a/n -i1", "catchup 0 a/n !purged@10:00:00a", "catchup 0 a/n i1=x@11:00:00a"},
			"e2:-i1@12:00:00l e3:!purged@10:00:00a e1:i1=x@09:00:00a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlayer(t, Options{PerNode: 5, Total: 8})
			p.step(Stored{})
			for _, line := range tt.lines {
				if wait, ok := strings.CutPrefix(line, "+"); ok {
					d, _ := time.ParseDuration(wait)
					p.now = p.now.Add(d)
					continue
				}
				p.run(p.read(line))
			}
			if got := p.list(Query{}); got != tt.want {
				t.Errorf("listed %s, want %s", got, tt.want)
			}
			p.readAgain()
		})
	}
}
