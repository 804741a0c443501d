package listsync

import (
	"slices"
	"strings"
	"testing"
)

// A transcript has one line for each input ("> ...") and output ("< ...") of a
// machine. An entry is service/node, with an optional #subid and =state; a minus sign
// before it marks a removal. An absent version is written as a dot. Answers ("full",
// "empty", "failed", "ok", "conflict") refer to the last request or commit.
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
	{"rule 1: the stored version is sent; an empty result changes nothing", `
		> stored 7/v3 a/n1
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced`},
	{"rule 1: a session may request the list without a version", `
		> stored 7/v3 a/n1
		> session full
		< phase syncing
		< list .
		> full v3 a/n1
		< phase synced`},
	{"rule 2: notifies received during a round are only shown; rule 4: only a quiet round commits", `
		> stored 7/v3 a/n1
		> session
		< phase syncing
		< list v3
		> notify v4 a/n2
		< overlay a/n2
		> notify v5 -a/n1
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
	{"rule 3: notifies received during a round are not applied to its full result, but cause another round", `
		> session
		< phase syncing
		< list .
		> notify v2 -a/n1
		> notify v3 b/n1
		< overlay b/n1
		> full v1 a/n1
		< commit 0/. -> 1/v1 whole: a/n1
		> ok
		< changed . -> v1 resync: +a/n1
		< overlay reset -a/n1 b/n1
		< list v1
		> notify v2 -a/n1
		> notify v3 b/n1
		< overlay b/n1
		> empty
		< list v3
		> empty
		< commit 1/v1 -> 2/v3: -a/n1 +b/n1
		> ok
		< changed v1 -> v3 resync: -a/n1 +b/n1
		< overlay reset
		< phase synced`},
	{"rule 3: a full result with an older version than the session has seen causes another round", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> notify v4 a/n1
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
		> notify v4 a/n1
		< overlay a/n1
		> empty
		< list v4
		> empty
		< commit 9/v3 -> 10/v4: +a/n1
		> ok
		< changed v3 -> v4 resync: +a/n1
		< overlay reset
		< phase synced`},
	{"rule 3: an empty list differs from an empty result", `
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
		> notify v1 a/n1
		< overlay a/n1
		> empty
		< list v1
		> notify v2 a/n2
		< overlay a/n2
		> empty
		< list v2
		> notify v3 a/n3
		< overlay a/n3
		> empty
		< list .
		> notify v4 a/n4
		< overlay a/n4
		> full v4 a/n1 a/n2 a/n3 a/n4
		< timer quiet 2000
		< timer oldest 10000
		< commit 7/v0 -> 8/v4 whole: a/n1 a/n2 a/n3 a/n4
		> ok
		< changed v0 -> v4 resync: +a/n1 +a/n2 +a/n3 +a/n4
		< overlay reset a/n4
		< phase synced dirty
		> notify v5 a/n5
		< overlay a/n5
		< timer quiet 2000
		> timer quiet
		< timer quiet 0
		< timer oldest 0
		< list v4
		> notify v5 a/n5
		< overlay a/n5
		> empty
		< list v5
		> empty
		< commit 8/v4 -> 9/v5: +a/n5
		> notify v6 -a/n5
		> ok
		< changed v4 -> v5 resync: +a/n5
		< overlay reset
		< commit 9/v5 -> 10/v6: -a/n5
		< phase synced`},
	{"rule 4: the end of a dirty session clears the timers", `
		> stored 7/v0
		> session
		< phase syncing
		< list v0
		> notify v1 a/n1
		< overlay a/n1
		> empty
		< list v1
		> notify v2 a/n2
		< overlay a/n2
		> empty
		< list v2
		> notify v3 a/n3
		< overlay a/n3
		> empty
		< list .
		> notify v4 a/n4
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
	{"rule 5: notifies received during a commit are committed together", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> notify v4 a/n1=pending
		< commit 7/v3 -> 8/v4: +a/n1=pending
		> notify v5 a/n1
		> notify v6 a/n2
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
		> notify . a/n1
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
		> notify . a/n2
		< commit 1/. -> 2/.: +a/n2`},
	{"rule 5: a new version without a change is stored", `
		> stored 7/v3 a/n1
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> notify v4 a/n1
		< commit 7/v3 -> 8/v4:
		> ok
		< changed v3 -> v4:
		> notify v4 a/n1`},
	{"rule 6: the same list stored by another tab is adopted", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> notify v4 a/n1
		< commit 7/v3 -> 8/v4: +a/n1
		> conflict 8/v4 a/n1
		< changed v3 -> v4 resync: +a/n1`},
	{"rule 6: a different list stored by another tab is adopted, and the list requested", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> notify v4 a/n1
		< commit 7/v3 -> 8/v4: +a/n1
		> notify v5 a/n2
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
	{"rule 6: also if the session has ended in the meantime", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> full v4 a/n1
		< commit 7/v3 -> 8/v4 whole: a/n1
		> notify v5 a/n2
		> refresh
		> ended
		< phase unsynced
		> conflict 9/v6
		< changed v3 -> v6 resync:
		> session
		< phase syncing
		< list v6`},
	{"rule 6: a hint whose version was already received is only adopted", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> notify v4 a/n1
		< commit 7/v3 -> 8/v4: +a/n1
		> notify v5 -a/n1
		> stored 9/v5
		> ok
		< changed v3 -> v4: +a/n1
		< changed v4 -> v5 resync: -a/n1
		> stored 9/v5`},
	{"rule 6: a list read before a commit is not newer than the commit", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> notify v4 a/n1
		< commit 7/v3 -> 8/v4: +a/n1
		> stored 7/v3
		> ok
		< changed v3 -> v4: +a/n1`},
	{"rule 6: a lower epoch means that the store was emptied in the meantime", `
		> stored 7/v3 a/n1
		> stored 2/v9 b/n1
		< changed v3 -> v9 resync: -a/n1 +b/n1`},
	{"rule 6: a hint with an unknown version causes a list request", `
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
	{"rule 7: a failed list request with a version is repeated without one", `
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
		> notify v4 -a/n#x
		< commit 7/v3 -> 8/v4: -a/n -a/n#x
		> ok
		< changed v3 -> v4: -a/n -a/n#x
		> notify v5 a/n#z -a/n
		< commit 8/v4 -> 9/v5: -a/n#y
		> ok
		< changed v4 -> v5: -a/n#y`},
	{"rule 9: a subid that becomes known, and an unknown state", `
		> stored 7/v3 a/n=pending
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> notify v4 a/n#x=confusing
		< commit 7/v3 -> 8/v4: -a/n=pending +a/n#x=confusing`},
	{"a new session waits for the commit of the last one", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> notify v4 a/n1
		< commit 7/v3 -> 8/v4: +a/n1
		> notify v5 a/n2
		> ended
		< phase unsynced
		> session
		< phase syncing
		> ok
		< changed v3 -> v4: +a/n1
		< list v4`},
	{"live notifies are committed although the session has ended", `
		> stored 7/v3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> notify v4 a/n1
		< commit 7/v3 -> 8/v4: +a/n1
		> notify v5 a/n2
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
		> notify v4 -a/n2
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
		< changed v5 -> v5 resync:
		< phase synced`},
	{"a notify restores a dropped row", `
		> stored 7/v3 a/n1#x dropped a/n2#y a/n3
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> notify v4 a/n2#y
		< commit 7/v3 -> 8/v4: +a/n2#y; dropped a/n3
		> ok
		< changed v3 -> v4: +a/n2#y
		> notify v5 -a/n3
		< commit 8/v4 -> 9/v5:
		> ok
		< changed v4 -> v5:
		> notify v5 -a/n3`},
	{"a dropped row is replaced by the one whose subid becomes known", `
		> stored 7/v3 dropped a/n1
		> session
		< phase syncing
		< list v3
		> empty
		< phase synced
		> notify v4 a/n1#x
		< commit 7/v3 -> 8/v4: +a/n1#x
		> ok
		< changed v3 -> v4: +a/n1#x`},
	{"Drop with Undo restores a dropped row", `
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
	{"a row is dropped after the current round", `
		> stored 7/v3 a/n1
		> session
		< phase syncing
		< list v3
		> drop a/n1
		> empty
		< commit 7/v3 -> 8/v3: -a/n1; dropped a/n1
		< phase synced`},
	{"rule 9: a list omits the subid", `
		> stored 7/. a/n#x a/m#y
		> session
		< phase syncing
		< list .
		> full . a/n a/m=pending
		< commit 7/. -> 8/. whole: a/m#y=pending a/n#x
		> ok
		< changed . -> . resync: *a/m#y=pending
		< phase synced
		> notify . a/n#z
		< commit 8/. -> 9/.: -a/n#x +a/n#z
		> ok
		< changed . -> .: -a/n#x +a/n#z
		> notify . -a/m#q
		< commit 9/. -> 10/.: -a/m#y=pending`},
	{"rule 9: a list omits the subid, and two are known", `
		> stored 7/. a/n#x a/n#y
		> session
		< phase syncing
		< list .
		> full . a/n
		< commit 7/. -> 8/. whole: a/n
		> ok
		< changed . -> . resync: +a/n -a/n#x -a/n#y
		< phase synced
		> notify . a/n#y
		< commit 8/. -> 9/.: -a/n +a/n#y`},
	{"rule 9: a list omits the subid of one row, and has that of another", `
		> stored 7/. a/n#x
		> session
		< phase syncing
		< list .
		> full . a/n a/n#x
		< commit 7/. -> 8/. whole: a/n a/n#x
		> ok
		< changed . -> . resync: +a/n
		< phase synced`},
	{"rule 9: an assumed subid is discarded when its row has ended", `
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
		> notify . a/n#x a/n#y
		< commit 8/. -> 9/.: +a/n#x +a/n#y`},
	{"rule 9: an assumed subid remains assumed in the next session", `
		> stored 7/. a/n#x
		> session
		< phase syncing
		< list .
		> full . a/n
		< phase synced
		> session
		< phase syncing
		< list .
		> notify . a/n#y
		< overlay -a/n#x a/n#y
		> stored 8/. a/m a/n#x
		< changed . -> . resync: +a/m
		< overlay reset -a/n#x a/n#y
		> full . a/m a/n
		< commit 8/. -> 9/. whole: a/m a/n#y`},
	{"rule 9: a notify omits the subid", `
		> stored 7/. a/n#x=pending a/m#y a/m#z
		> session
		< phase syncing
		< list .
		> full . a/n#x=pending a/m#y a/m#z
		< phase synced
		> notify . a/n
		< commit 7/. -> 8/.: *a/n#x
		> ok
		< changed . -> .: *a/n#x
		> notify . a/m=pending
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
	{"without a session there are no requests, and notifies are ignored", `
		> stored 7/v3
		> notify v4 a/n1
		> refresh
		> timer quiet
		> ended
		> session
		< phase syncing
		< list v3`},
	{"answers to requests that are not pending are ignored", `
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
					got = append(got, "< "+p.format(out))
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}
