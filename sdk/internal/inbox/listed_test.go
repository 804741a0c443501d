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
		{"an item and a purge do not show that the configuration has changed again", []string{"live 1 a/n !configured=f", "live 2 a/n i1=x !purged", "live 3 a/n !configured=f"},
			"e3:!purged@12:00:00l e2:i1=x@12:00:00l e1:!configured=f@12:00:00l"},
		{"the configuration does not tell that the node was purged again", []string{"live 1 a/n !purged", "live 2 a/n !configured=f", "live 3 a/n !purged"},
			"e2:!configured=f@12:00:00l e1:!purged@12:00:00l"},
		{"one removal does not tell that another has happened again", []string{"live 1 a/n -i1", "live 2 a/n -i1=y", "live 3 a/n -i1"},
			"e2:-i1=y@12:00:00l e1:-i1@12:00:00l"},
		{"a removal that a catch-up has found did not come live", []string{"catchup 0 a/n i1=x@11:00:00a -i1@11:59:00a", "live 1 a/n i1=x"},
			"e2:-i1@11:59:00a e1:i1=x@11:00:00a"},
		{"a removal with a payload is not the payload of the item", []string{"live 1 a/n i1", "live 2 a/n -i1=y"},
			"e2:-i1=y@12:00:00l e1:i1@12:00:00l"},
		{"an item without a payload, after a removal that has one", []string{"live 1 a/n -i1=y", "live 2 a/n i1"},
			"e2:i1@12:00:00l e1:-i1=y@12:00:00l"},
		{"a better time of what was published again, when the first one was dropped", []string{"live 1 a/n i1=x", "live 2 a/n -i1", "live 3 a/n i1=x", "live 4 a/n i2=x i3=x i4=x", "resumed 5 a/n i1=x@11:59:59d"},
			"e6:i4=x@12:00:00l e5:i3=x@12:00:00l e4:i2=x@12:00:00l e2:-i1@12:00:00l e3:i1=x@11:59:59d"},
		{"another device was connected for a moment", []string{"elsewhere 11:00:00 11:00:00", "catchup 0 a/n i1=x@11:00:00a i2=x@11:00:01a"},
			"e2:i2=x@11:00:01a e1:i1=x@11:00:00a/elsewhere"},
		{"between two connections of another device, the later one known first", []string{"elsewhere 11:30:00 11:40:00", "elsewhere 11:00:00 11:10:00", "catchup 0 a/n i1=x@11:20:00a"},
			"e1:i1=x@11:20:00a"},
		{"between two connections of another device, the earlier one known first", []string{"elsewhere 11:00:00 11:10:00", "elsewhere 11:30:00 11:40:00", "catchup 0 a/n i1=x@11:20:00a"},
			"e1:i1=x@11:20:00a"},
		{"a copy of a marker of which the item was dropped", []string{"live 1 a/n i1=x", "marker a/n i1@12:00:00l", "live 2 a/n i2=x i3=x i4=x i5=x i6=x", "marker a/n i1@12:00:00l"},
			"e6:i6=x@12:00:00l e5:i5=x@12:00:00l e4:i4=x@12:00:00l e3:i3=x@12:00:00l e2:i2=x@12:00:00l"},
		{"the past sessions are stored", []string{"session", "reached a n c1@10:00:00a current", "ended", "+1h", "session", "ended", "+1h", "session", "live 1 a/n i1=x"},
			"e1:i1=x@14:00:00l"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlayer(t, Options{PerNode: 5, Total: 8})
			p.step(Stored{})
			p.play(tt.lines...)
			if got := p.list(Query{}); got != tt.want {
				t.Errorf("listed %s, want %s", got, tt.want)
			}
			p.readAgain()
		})
	}
}

// play plays lines, stores what is committed, and returns what is published, and when.
func (p *player) play(lines ...string) string {
	var published []string
	for _, line := range lines {
		if wait, ok := strings.CutPrefix(line, "+"); ok {
			d, _ := time.ParseDuration(wait)
			p.now = p.now.Add(d)
			continue
		}
		for outs := p.step(p.read(line)); outs != nil; {
			committed := false
			for _, out := range outs {
				switch out := out.(type) {
				case PublishMarker:
					published = append(published, strings.TrimPrefix(p.format(out), "publish "))
				case SetTimer:
					if out.Timer == TimerPublish {
						published = append(published, p.format(out))
					}
				case Commit:
					committed = true
				}
			}
			outs = nil
			if committed {
				p.commit()
				outs = p.step(Committed{p.last.Seq})
			}
		}
	}
	return strings.Join(published, ", ")
}
