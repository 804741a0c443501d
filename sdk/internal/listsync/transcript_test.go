package listsync

import (
	"slices"
	"strings"
	"testing"
)

// A transcript has one line for each input ("> ...") and output ("< ...") of a
// machine. An entry is service/node, with #subid and =state if need be; a
// minus before it removes. A version that is not there is written as a dot.
// Inputs that answer ("full", "empty", "failed", "ok", "conflict") answer what
// was asked for last.
var transcripts = []struct{ name, text string }{
	{"rule 1: a new account", `
		> session
		< phase syncing
		< list .
		> full v1 a/n1 b/n2=pending
		< commit 0/. -> 1/v1 whole: a/n1 b/n2=pending
		> ok
		< changed . -> v1 resync: +a/n1 +b/n2=pending
		< phase synced`},
	{"rule 1: a stored version is asked with, and nothing new costs nothing", `
		> stored 7/v3 a/n1
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced`},
	{"rule 1: now and then the list is asked for without", `
		> stored 7/v3 a/n1
		> session full
		< phase syncing
		< list .
		> full v3 a/n1
		< phase synced`},
	{"rule 2: what is heard in a round is only shown; rule 4: only a quiet round commits", `
		> stored 7/v3 a/n1
		> session
		< phase syncing
		< list v3
		> heard v4 a/n2
		< overlay a/n2
		> heard v5 -a/n1
		< overlay -a/n1
		> empty
		< list v5
		> empty
		< commit 7/v3 -> 8/v5: -a/n1 +a/n2
		> ok
		< changed v3 -> v5 resync: -a/n1 +a/n2
		< overlay reset
		< phase synced`},
	{"rule 3: a full result replaces", `
		> stored 7/v3 a/n1 a/n2
		> session
		< phase syncing
		< list v3
		> full v9 a/n2 b/n1
		< commit 7/v3 -> 8/v9 whole: a/n2 b/n1
		> ok
		< changed v3 -> v9 resync: -a/n1 +b/n1
		< phase synced`},
	{"rule 3: what was heard is not applied to a full result, but asked about", `
		> session
		< phase syncing
		< list .
		> heard v2 -a/n1
		> heard v3 b/n1
		< overlay b/n1
		> full v1 a/n1
		< commit 0/. -> 1/v1 whole: a/n1
		> ok
		< changed . -> v1 resync: +a/n1
		< overlay reset -a/n1 b/n1
		< list v1
		> heard v2 -a/n1
		> heard v3 b/n1
		< overlay b/n1
		> empty
		< list v3
		> empty
		< commit 1/v1 -> 2/v3: -a/n1 +b/n1
		> ok
		< changed v1 -> v3 resync: -a/n1 +b/n1
		< overlay reset
		< phase synced`},
	{"rule 3: a full result older than what this session heard is asked about", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> heard v4 a/n1
		< commit 7/v3 -> 8/v4: +a/n1
		> ok
		< changed v3 -> v4: +a/n1
		> refresh full
		< phase syncing
		< list .
		> full v3
		< commit 8/v4 -> 9/v3 whole:
		> ok
		< changed v4 -> v3 resync: -a/n1
		< list v3
		> heard v4 a/n1
		< overlay a/n1
		> empty
		< list v4
		> empty
		< commit 9/v3 -> 10/v4: +a/n1
		> ok
		< changed v3 -> v4 resync: +a/n1
		< overlay reset
		< phase synced`},
	{"rule 3: an empty list is not an empty result", `
		> stored 7/v3 a/n1
		> session
		< phase syncing
		< list v3
		> full v4
		< commit 7/v3 -> 8/v4 whole:
		> ok
		< changed v3 -> v4 resync: -a/n1
		< phase synced`},
	{"rule 4: an empty result to a request without a version is the empty list", `
		> stored 7/v3 a/n1
		> session full
		< phase syncing
		< list .
		> empty
		< commit 7/v3 -> 8/. whole:
		> ok
		< changed v3 -> . resync: -a/n1
		< phase synced`},
	{"rule 4: three noisy rounds, one without a version, then dirty", `
		> stored 7/v0
		> session
		< phase syncing
		< list v0
		> heard v1 a/n1
		< overlay a/n1
		> empty
		< list v1
		> heard v2 a/n2
		< overlay a/n2
		> empty
		< list v2
		> heard v3 a/n3
		< overlay a/n3
		> empty
		< list .
		> heard v4 a/n4
		< overlay a/n4
		> full v4 a/n1 a/n2 a/n3 a/n4
		< timer quiet 2000
		< timer oldest 10000
		< commit 7/v0 -> 8/v4 whole: a/n1 a/n2 a/n3 a/n4
		> ok
		< changed v0 -> v4 resync: +a/n1 +a/n2 +a/n3 +a/n4
		< overlay reset a/n4
		< phase synced dirty
		> heard v5 a/n5
		< overlay a/n5
		< timer quiet 2000
		> timer quiet
		< timer quiet 0
		< timer oldest 0
		< list v4
		> heard v5 a/n5
		< overlay a/n5
		> empty
		< list v5
		> empty
		< commit 8/v4 -> 9/v5: +a/n5
		> heard v6 -a/n5
		> ok
		< changed v4 -> v5 resync: +a/n5
		< overlay reset
		< commit 9/v5 -> 10/v6: -a/n5
		< phase synced`},
	{"rule 4: a dirty session that ends needs no timer", `
		> stored 7/v0
		> session
		< phase syncing
		< list v0
		> heard v1 a/n1
		< overlay a/n1
		> empty
		< list v1
		> heard v2 a/n2
		< overlay a/n2
		> empty
		< list v2
		> heard v3 a/n3
		< overlay a/n3
		> empty
		< list .
		> heard v4 a/n4
		< overlay a/n4
		> full v4 a/n1 a/n2 a/n3 a/n4
		< timer quiet 2000
		< timer oldest 10000
		< commit 7/v0 -> 8/v4 whole: a/n1 a/n2 a/n3 a/n4
		> ok
		< changed v0 -> v4 resync: +a/n1 +a/n2 +a/n3 +a/n4
		< overlay reset a/n4
		< phase synced dirty
		> ended
		< timer quiet 0
		< timer oldest 0
		< overlay reset
		< phase unsynced`},
	{"rule 5: notifies heard during a commit make one commit", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> heard v4 a/n1=pending
		< commit 7/v3 -> 8/v4: +a/n1=pending
		> heard v5 a/n1
		> heard v6 a/n2
		> ok
		< changed v3 -> v4: +a/n1=pending
		< commit 8/v4 -> 9/v6: *a/n1 +a/n2
		> ok
		< changed v4 -> v6: *a/n1 +a/n2`},
	{"rule 5: a notify without a version clears the stored one", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> heard . a/n1
		< commit 7/v3 -> 8/.: +a/n1
		> ok
		< changed v3 -> .: +a/n1
		> ended
		< phase unsynced
		> session
		< phase syncing
		< list .`},
	{"rule 5: a server that never sends versions", `
		> session
		< phase syncing
		< list .
		> full . a/n1
		< commit 0/. -> 1/. whole: a/n1
		> ok
		< changed . -> . resync: +a/n1
		< phase synced
		> heard . a/n2
		< commit 1/. -> 2/.: +a/n2`},
	{"rule 5: a version step without a change is stored", `
		> stored 7/v3 a/n1
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> heard v4 a/n1
		< commit 7/v3 -> 8/v4:
		> ok
		< changed v3 -> v4:
		> heard v4 a/n1`},
	{"rule 6: the same stored by another tab is adopted", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> heard v4 a/n1
		< commit 7/v3 -> 8/v4: +a/n1
		> conflict 8/v4 a/n1
		< changed v3 -> v4 resync: +a/n1`},
	{"rule 6: something else is adopted, and a list asked for", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> heard v4 a/n1
		< commit 7/v3 -> 8/v4: +a/n1
		> heard v5 a/n2
		> conflict 9/v6 a/n3
		< changed v3 -> v6 resync: +a/n3
		< overlay a/n2
		< phase syncing
		< list v6
		> empty
		< overlay reset
		< phase synced`},
	{"rule 6: a full result that another tab's list replaces is requested again, without a version", `
		> stored 7/v3 a/n1
		> session full
		< phase syncing
		< list .
		> full v4 a/n1 a/n2
		< commit 7/v3 -> 8/v4 whole: a/n1 a/n2
		> conflict 8/v4 a/n1
		< changed v3 -> v4 resync:
		< list .
		> full v4 a/n1 a/n2
		< commit 8/v4 -> 9/v4 whole: a/n1 a/n2
		> ok
		< changed v4 -> v4 resync: +a/n2
		< phase synced`},
	{"rule 6: also when the session has ended meanwhile", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> full v4 a/n1
		< commit 7/v3 -> 8/v4 whole: a/n1
		> heard v5 a/n2
		> refresh
		> ended
		< phase unsynced
		> conflict 9/v6
		< changed v3 -> v6 resync:
		> session
		< phase syncing
		< list v6`},
	{"rule 6: a hint with nothing unheard in it is only taken over", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> heard v4 a/n1
		< commit 7/v3 -> 8/v4: +a/n1
		> heard v5 -a/n1
		> stored 9/v5
		> ok
		< changed v3 -> v4: +a/n1
		< changed v4 -> v5 resync: -a/n1
		> stored 9/v5`},
	{"rule 6: what was read before a commit is not newer than it", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> heard v4 a/n1
		< commit 7/v3 -> 8/v4: +a/n1
		> stored 7/v3
		> ok
		< changed v3 -> v4: +a/n1`},
	{"rule 6: a lower epoch is that of a store that was emptied in between", `
		> stored 7/v3 a/n1
		> stored 2/v9 b/n1
		< changed v3 -> v9 resync: -a/n1 +b/n1`},
	{"rule 6: a hint with something unheard leads to a list", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> stored 8/v4 a/n1
		< changed v3 -> v4 resync: +a/n1
		< phase syncing
		< list v4
		> stored 9/v5
		< changed v4 -> v5 resync: -a/n1
		> empty
		< list v5
		> empty
		< phase synced`},
	{"rule 7: an error on a list with a version is met by one without", `
		> stored 7/v3 a/n1
		> session
		< phase syncing
		< list v3
		> failed
		< list .
		> failed
		< listing failed
		> refresh
		< list v3
		> failed
		< list .
		> full v4 a/n1
		< commit 7/v3 -> 8/v4 whole: a/n1
		> ok
		< changed v3 -> v4 resync:
		< phase synced`},
	{"rule 8: a delayed notify is a hint", `
		> stored 7/v3 a/n1
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> delayed v1 -a/n1
		< phase syncing
		< list v3
		> delayed v2 a/n2
		> empty
		< phase synced
		< phase syncing
		< list v3
		> empty
		< phase synced`},
	{"rule 9: none with and without a subid", `
		> stored 7/v3 a/n a/n#x a/n#y a/m#x
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> heard v4 -a/n#x
		< commit 7/v3 -> 8/v4: -a/n -a/n#x
		> ok
		< changed v3 -> v4: -a/n -a/n#x
		> heard v5 a/n#z -a/n
		< commit 8/v4 -> 9/v5: -a/n#y
		> ok
		< changed v4 -> v5: -a/n#y`},
	{"rule 9: a subid that becomes known, a state that is not", `
		> stored 7/v3 a/n=pending
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> heard v4 a/n#x=confusing
		< commit 7/v3 -> 8/v4: -a/n=pending +a/n#x=confusing`},
	{"a new session waits for the commit of the last one", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> heard v4 a/n1
		< commit 7/v3 -> 8/v4: +a/n1
		> heard v5 a/n2
		> ended
		< phase unsynced
		> session
		< phase syncing
		> ok
		< changed v3 -> v4: +a/n1
		< list v4`},
	{"live notifies count when the session has ended", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> heard v4 a/n1
		< commit 7/v3 -> 8/v4: +a/n1
		> heard v5 a/n2
		> ended
		< phase unsynced
		> ok
		< changed v3 -> v4: +a/n1
		< commit 8/v4 -> 9/v5: +a/n2
		> ok
		< changed v4 -> v5: +a/n2`},
	{"a dropped row stays out of the list while the server has it", `
		> stored 7/v3 a/n1 a/n2
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> drop a/n1
		< commit 7/v3 -> 8/v3: -a/n1; dropped a/n1
		> ok
		< changed v3 -> v3: -a/n1
		> heard v4 -a/n2
		< commit 8/v3 -> 9/v4: -a/n2; dropped a/n1
		> ok
		< changed v3 -> v4: -a/n2
		> refresh full
		< phase syncing
		< list .
		> full v5 a/n1=pending a/n3
		< commit 9/v4 -> 10/v5 whole: a/n3; dropped a/n1=pending
		> ok
		< changed v4 -> v5 resync: +a/n3
		< list v5
		> empty
		< phase synced
		> refresh full
		< phase syncing
		< list .
		> full v5 a/n3
		< commit 10/v5 -> 11/v5 whole: a/n3
		> ok
		< phase synced`},
	{"a dropped row comes back with a notify", `
		> stored 7/v3 a/n1#x dropped a/n2#y a/n3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> heard v4 a/n2#y
		< commit 7/v3 -> 8/v4: +a/n2#y; dropped a/n3
		> ok
		< changed v3 -> v4: +a/n2#y
		> heard v5 -a/n3
		< commit 8/v4 -> 9/v5:
		> ok
		< changed v4 -> v5:
		> heard v5 -a/n3`},
	{"a dropped row is replaced by the one whose subid becomes known", `
		> stored 7/v3 dropped a/n1
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> heard v4 a/n1#x
		< commit 7/v3 -> 8/v4: +a/n1#x
		> ok
		< changed v3 -> v4: +a/n1#x`},
	{"a dropped row comes back when it is asked for", `
		> stored 7/v3 a/n1
		> drop a/n1
		< commit 7/v3 -> 8/v3: -a/n1; dropped a/n1
		> drop a/n1
		> undrop a/n1
		> ok
		< changed v3 -> v3: -a/n1
		< commit 8/v3 -> 9/v3: +a/n1
		> conflict 9/v4 a/n2 dropped a/n1
		< changed v3 -> v4 resync: +a/n2`},
	{"a row is dropped after the round under way", `
		> stored 7/v3 a/n1
		> session
		< phase syncing
		< list v3
		> drop a/n1
		> empty
		< commit 7/v3 -> 8/v3: -a/n1; dropped a/n1
		< phase synced`},
	{"rule 9: a list names no subid", `
		> stored 7/. a/n#x a/m#y
		> session
		< phase syncing
		< list .
		> full . a/n a/m=pending
		< commit 7/. -> 8/. whole: a/m#y=pending a/n#x
		> ok
		< changed . -> . resync: *a/m#y=pending
		< phase synced
		> heard . a/n#z
		< commit 8/. -> 9/.: -a/n#x +a/n#z
		> ok
		< changed . -> .: -a/n#x +a/n#z
		> heard . -a/m#q
		< commit 9/. -> 10/.: -a/m#y=pending`},
	{"rule 9: a list names no subid, and two are known", `
		> stored 7/. a/n#x a/n#y
		> session
		< phase syncing
		< list .
		> full . a/n
		< commit 7/. -> 8/. whole: a/n
		> ok
		< changed . -> . resync: +a/n -a/n#x -a/n#y
		< phase synced
		> heard . a/n#y
		< commit 8/. -> 9/.: -a/n +a/n#y`},
	{"rule 9: a list names no subid of one row, and does of another", `
		> stored 7/. a/n#x
		> session
		< phase syncing
		< list .
		> full . a/n a/n#x
		< commit 7/. -> 8/. whole: a/n a/n#x
		> ok
		< changed . -> . resync: +a/n
		< phase synced`},
	{"rule 9: a subid that was assumed is not when its row has ended", `
		> stored 7/. a/n#x
		> session
		< phase syncing
		< list .
		> full . a/n
		< phase synced
		> refresh
		< phase syncing
		< list .
		> empty
		< commit 7/. -> 8/. whole:
		> ok
		< changed . -> . resync: -a/n#x
		< phase synced
		> heard . a/n#x a/n#y
		< commit 8/. -> 9/.: +a/n#x +a/n#y`},
	{"rule 9: a subid that was assumed still is in the next session", `
		> stored 7/. a/n#x
		> session
		< phase syncing
		< list .
		> full . a/n
		< phase synced
		> session
		< phase syncing
		< list .
		> heard . a/n#y
		< overlay -a/n#x a/n#y
		> stored 8/. a/m a/n#x
		< changed . -> . resync: +a/m
		< overlay reset -a/n#x a/n#y
		> full . a/m a/n
		< commit 8/. -> 9/. whole: a/m a/n#y`},
	{"rule 9: a notify names no subid", `
		> stored 7/. a/n#x=pending a/m#y a/m#z
		> session
		< phase syncing
		< list .
		> full . a/n#x=pending a/m#y a/m#z
		< phase synced
		> heard . a/n
		< commit 7/. -> 8/.: *a/n#x
		> ok
		< changed . -> .: *a/n#x
		> heard . a/m=pending
		< commit 8/. -> 9/.: +a/m=pending`},
	{"a refresh during a round is followed by another", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> refresh full
		> empty
		< phase synced
		< phase syncing
		< list .`},
	{"without a session nothing is heard or asked", `
		> stored 7/v3
		> heard v4 a/n1
		> refresh
		> timer quiet
		> ended
		> session
		< phase syncing
		< list v3`},
	{"answers to what is not under way are ignored", `
		> stored 7/v3
		> empty
		> failed
		> ok
		> conflict 9/v9 a/n1
		> session
		< phase syncing
		< list v3
		> ended
		< phase unsynced
		> session
		< phase syncing
		< list v3
		> stale full v9 a/n1
		> stale failed
		> empty
		< phase synced`},
}

func TestTranscripts(t *testing.T) {
	for _, tt := range transcripts {
		t.Run(tt.name, func(t *testing.T) {
			m := NewMachine()
			p := player{}
			var got, want []string
			for line := range strings.Lines(tt.text) {
				if line = strings.TrimSpace(line); line == "" {
					continue
				}
				want = append(want, line)
				input, ok := strings.CutPrefix(line, "> ")
				if !ok {
					continue
				}
				got = append(got, line)
				for _, out := range m.Step(start, p.read(t, input)) {
					got = append(got, "< "+p.say(out))
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}
