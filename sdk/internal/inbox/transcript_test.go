package inbox

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// A transcript begins with an empty store. It has one line for each input ("> ...") and output ("< ...") of a machine,
// and for the list that follows ("= ...", newest first). "> +6s" advances the clock. An
// event is written as its name (e1 is the first that arrived), item=payload, the time
// and the code of its source, and the basis of Seen. Node counts are unseen(dropped), and
// the total of unseen events is after the semicolon.
var transcripts = []transcript{
	{"the end of a session that never began is not stored", `
		> ended
		> +1m
		> session
		< timer flush 2s
		> ended`},
	{"copies of an event: full JID, resumption, catch-up", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> live 2 a/n i1=x
		< handled 2
		> resumed 3 a/n i1=x@11:59:58d
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1; 1
		< handled 3
		> catchup 0 a/n i1=x@11:59:57a i1=y@11:59:59a
		< commit xml/1 event/0 node/0 page/0 meta
		= e1:i1=x@11:59:58d`},
	{"copies: an item published again is another event", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> +1m
		> live 2 a/n i1=y
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i1=y@12:01:00l a/n=2; 2
		< handled 2
		= e2:i1=y@12:01:00l e1:i1=x@12:00:00l`},
	{"arrivals during a commit wait and are stored together", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> live 2 a/n i2=x
		> live 3 b/n i3=x
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i2=x@12:00:00l +e3:i3=x@12:00:00l a/n=2 b/n=1; 3
		< handled 3
		= e3:i3=x@12:00:00l e2:i2=x@12:00:00l e1:i1=x@12:00:00l`},
	{"two tabs: an event that the other has stored is a copy", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> conflict
		< changed reset; 0
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1`},
	{"retraction", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> live 2 a/n -i1
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:-i1@12:00:00l a/n=2; 2
		< handled 2
		> live 3 a/n -i1
		< handled 3
		> resumed 4 a/n i1=x@12:00:00d -i1@12:00:00d
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 *e2; 2
		< handled 4
		> +10m
		> live 5 a/n i1=x
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i1=x@12:10:00l a/n=3; 3
		< handled 5
		> live 6 a/n -i1
		< commit xml/3 event/0 node/0 page/0 meta
		> ok
		< changed +e4:-i1@12:10:00l a/n=4; 4
		< handled 6
		= e4:-i1@12:10:00l e3:i1=x@12:10:00l e2:-i1@12:00:00d e1:i1=x@12:00:00d`},
	{"published again after a retraction, by catch-up", `
		> live 1 a/n i1=x@11:00:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:00:00d a/n=1; 1
		< handled 1
		> live 2 a/n -i1@11:10:00d
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:-i1@11:10:00d a/n=2; 2
		< handled 2
		> catchup 0 a/n i1=x@11:05:00a
		> catchup 0 a/n i1=x@11:20:00a
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i1=x@11:20:00a a/n=3; 3
		= e3:i1=x@11:20:00a e2:-i1@11:10:00d e1:i1=x@11:00:00d`},
	{"node events", `
		> live 1 a/n !purged
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:!purged@12:00:00l a/n=1; 1
		< handled 1
		> live 2 a/n !purged
		< handled 2
		> +2m
		> live 3 a/n !purged
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:!purged@12:02:00l a/n=2; 2
		< handled 3
		> catchup 0 a/n !purged@12:01:00a !deleted@12:03:00a
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e3:!deleted@12:03:00a *e1 a/n=3; 3
		> live 4 a/n !configured=f
		< commit xml/3 event/0 node/0 page/0 meta
		> ok
		< changed +e4:!configured=f@12:02:00l a/n=4; 4
		< handled 4
		= e3:!deleted@12:03:00a e4:!configured=f@12:02:00l e2:!purged@12:02:00l e1:!purged@12:01:00a`},
	{"node events: one of an archive that is much older than a known one is no copy", `
		> catchup 0 a/n !purged@11:00:00a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:!purged@11:00:00a a/n=1; 1
		> catchup 0 a/n !purged@10:00:00a !purged@10:56:00a !purged@11:04:00a
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:!purged@10:00:00a a/n=2; 2
		= e1:!purged@11:00:00a e2:!purged@10:00:00a`},
	{"time sources", `
		> catchup 0 a/n i1=x@11:00:00a i2=atom:10:00:00 i3=z i4=atom:10:30:00@10:31:00d i5=x@30/12:00:00p
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:00:00a +e2:i2=atom:10:00:00@10:00:00p +e3:i3=z@12:00:00l +e4:i4=atom:10:30:00@10:31:00d +e5:i5=x@30/12:00:00p a/n=5; 5
		= e5:i5=x@30/12:00:00p e3:i3=z@12:00:00l e1:i1=x@11:00:00a e4:i4=atom:10:30:00@10:31:00d e2:i2=atom:10:00:00@10:00:00p`},
	{"better time of a copy", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> live 2 a/n i2=x@11:59:00d
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i2=x@11:59:00d a/n=2; 2
		< handled 2
		> catchup 0 a/n i1=x@11:58:00a i2=x@11:58:30a
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1; 2
		= e2:i2=x@11:59:00d e1:i1=x@11:58:00a`},
	{"limit of a node: the oldest seen, then the oldest unseen", `
		> live 1 a/n i1=x@11:01:00d i2=x@11:02:00d i3=x@11:03:00d i4=x@11:04:00d i5=x@11:05:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:01:00d +e2:i2=x@11:02:00d +e3:i3=x@11:03:00d +e4:i4=x@11:04:00d +e5:i5=x@11:05:00d a/n=5; 5
		< handled 1
		> seen e2 e4
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e2 *e4 a/n=3; 3
		> live 2 a/n i6=x@11:06:00d
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e6:i6=x@11:06:00d -e2 a/n=4(1); 4
		< handled 2
		> live 3 a/n i7=x@11:07:00d i8=x@11:08:00d
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e7:i7=x@11:07:00d +e8:i8=x@11:08:00d -e4 -e1 a/n=5(3); 5
		< handled 3
		> catchup 0 a/n i1=x@11:01:00d i2=x@11:02:00d i4=x@11:04:00d
		= e8:i8=x@11:08:00d e7:i7=x@11:07:00d e6:i6=x@11:06:00d e5:i5=x@11:05:00d e3:i3=x@11:03:00d`},
	{"limit in all", `
		> catchup 0 a/n i1=x@11:01:00d i2=x@11:02:00d i3=x@11:03:00d i4=x@11:04:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:01:00d +e2:i2=x@11:02:00d +e3:i3=x@11:03:00d +e4:i4=x@11:04:00d a/n=4; 4
		> seen e3
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e3 a/n=3; 3
		> catchup 0 b/n i1=x@11:05:00d i2=x@11:06:00d i3=x@11:07:00d i4=x@11:08:00d i5=x@11:00:00d
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e5:i1=x@11:05:00d +e6:i2=x@11:06:00d +e7:i3=x@11:07:00d +e8:i4=x@11:08:00d +e9:i5=x@11:00:00d -e3 b/n=5 a/n=3(1); 8
		> catchup 0 c/n i1=x@10:00:00d
		< commit event/0 node/0 meta
		> catchup 0 c/n i1=x@10:00:00d
		= e8:i4=x@11:08:00d e7:i3=x@11:07:00d e6:i2=x@11:06:00d e5:i1=x@11:05:00d e4:i4=x@11:04:00d e2:i2=x@11:02:00d e1:i1=x@11:01:00d e9:i5=x@11:00:00d`},
	{"no payload", `
		> live 1 a/n i1 i2
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1@12:00:00l +e2:i2@12:00:00l a/n=2; 2
		< handled 1
		< fetch a/n i1
		< fetch a/n i2
		> live 2 a/n i1
		< handled 2
		> fetched a/n i1 i1=x
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed *e1; 2
		> fetched a/n i2
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e2; 2
		> live 3 a/n i1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1; 2
		< handled 3
		< fetch a/n i1
		> fetched a/n i1 i1=y
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i1=y@12:00:00l *e1 a/n=3; 3
		= e3:i1=y@12:00:00l e2:i2@12:00:00l e1:i1=x@12:00:00l`},
	{"no payload: the service does not answer", `
		> session
		< timer flush 2s
		> live 1 a/n i1
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1@12:00:00l a/n=1; 1
		< handled 1
		< fetch a/n i1
		> nofetch a/n i1
		> ended
		> session
		< fetch a/n i1
		> nofetch a/n i1`},
	{"no payload: a service that does not answer is asked for an item once in a session", `
		> session
		< timer flush 2s
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> live 2 a/n i1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1; 1
		< handled 2
		< fetch a/n i1
		> nofetch a/n i1
		> live 3 a/n i1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1; 1
		< handled 3`},
	{"seen: the first marker is published at once, later ones after 5 s", `
		> live 1 a/n i1=x@11:01:00d i2=x@11:02:00d i3=x@11:03:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:01:00d +e2:i2=x@11:02:00d +e3:i3=x@11:03:00d a/n=3; 3
		< handled 1
		> seen e1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=2; 2
		> caughtup
		> markersread
		< publish a/n i1@11:01:00d
		> published a/n i1@11:01:00d
		< timer flush 2s
		> +1s
		> seen e3
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e3 a/n=1; 1
		> seen e2
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e2 a/n=0; 0
		< timer publish 4s
		> +4s
		> timer publish
		< publish a/n i3@11:03:00d
		> published a/n i3@11:03:00d
		> marker a/n i3@11:03:00d
		= e3:i3=x@11:03:00d/here e2:i2=x@11:02:00d/here e1:i1=x@11:01:00d/here`},
	{"seen: a gap holds the marker back; up to an event", `
		> caughtup
		> markersread
		> live 1 a/n i1=x@11:01:00d i2=x@11:02:00d -i1@11:03:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:01:00d +e2:i2=x@11:02:00d +e3:-i1@11:03:00d a/n=3; 3
		< handled 1
		> seen e2
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e2 a/n=2; 2
		> seen upto:e3
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 *e3 a/n=0; 0
		< publish a/n i1@11:03:00d
		= e3:-i1@11:03:00d/here e2:i2=x@11:02:00d/here e1:i1=x@11:01:00d/here`},
	{"seen: a marker of another device", `
		> live 1 a/n i1=x i2=x i3=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l +e2:i2=x@12:00:00l +e3:i3=x@12:00:00l a/n=3; 3
		< handled 1
		> marker a/n i2@12:00:00l
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 *e2 a/n=1; 1
		> marker a/n i1@12:00:00l
		> caughtup
		> markersread
		< publish a/n i2@12:00:00l
		= e3:i3=x@12:00:00l e2:i2=x@12:00:00l/displayed e1:i1=x@12:00:00l/displayed`},
	{"seen: better times put the marker's item before what it has reached", `
		> live 1 a/n i1=x i2=y
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l +e2:i2=y@12:00:00l a/n=2; 2
		< handled 1
		> marker a/n i2@12:00:00l
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 *e2 a/n=0; 0
		> catchup 0 a/n i2=y@11:00:00a
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e2; 0
		= e1:i1=x@12:00:00l/displayed e2:i2=y@11:00:00a/displayed`},
	{"seen: a marker with the time of a payload, where an archive tells another one", `
		> catchup 0 a/n i1=x@11:01:00a i2=x@11:02:00a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:01:00a +e2:i2=x@11:02:00a a/n=2; 2
		> marker a/n i1@09:00:00p
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=1; 1
		= e2:i2=x@11:02:00a e1:i1=x@11:01:00a/displayed
		> marker a/n i9@09:30:00p
		< commit node/0 page/0 meta
		> ok
		< changed *e2 a/n=0; 0
		= e2:i2=x@11:02:00a/unknown e1:i1=x@11:01:00a/displayed`},
	{"seen: a marker of an unknown item, compared by time", `
		> catchup 0 a/n i1=x@11:01:00a i3=x@11:03:00a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:01:00a +e2:i3=x@11:03:00a a/n=2; 2
		> marker a/n i2@11:02:00d
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=1; 1
		= e2:i3=x@11:03:00a e1:i1=x@11:01:00a/displayed
		> catchup 0 a/n i0=x@11:04:00a i2=x@11:02:00a
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i0=x@11:04:00a +e4:i2=x@11:02:00a/displayed a/n=2; 2
		= e3:i0=x@11:04:00a e2:i3=x@11:03:00a e4:i2=x@11:02:00a/displayed e1:i1=x@11:01:00a/displayed`},
	{"seen: a marker of an unknown item with the time of a clock", `
		> catchup 0 a/n i1=x@11:01:00a i3=x@11:03:00a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:01:00a +e2:i3=x@11:03:00a a/n=2; 2
		> marker a/n i2@11:02:00l
		< commit node/0 page/0 meta
		> ok
		< changed *e1 *e2 a/n=0; 0
		> live 1 a/n i4=x
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i4=x@12:00:00l a/n=1; 1
		< handled 1
		= e3:i4=x@12:00:00l e2:i3=x@11:03:00a/unknown e1:i1=x@11:01:00a/unknown
		> catchup 0 a/n i2=x@11:02:00a
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e4:i2=x@11:02:00a/displayed *e1 *e2 a/n=2; 2
		= e3:i4=x@12:00:00l e2:i3=x@11:03:00a e4:i2=x@11:02:00a/displayed e1:i1=x@11:01:00a/displayed`},
	{"seen: a published marker that another device has overwritten", `
		> live 1 a/n i1=x@11:01:00d i2=x@11:02:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:01:00d +e2:i2=x@11:02:00d a/n=2; 2
		< handled 1
		> caughtup
		> markersread
		> seen e1 e2
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 *e2 a/n=0; 0
		< publish a/n i2@11:02:00d
		> published a/n i2@11:02:00d
		< timer flush 2s
		> marker a/n i1@11:01:00d
		< commit node/0 meta
		> ok
		< timer publish 5s
		> +5s
		> timer publish
		< publish a/n i2@11:02:00d
		> published a/n i2@11:02:00d
		> +5s
		> marker a/n i1@11:01:00d`},
	{"seen: publishing fails", `
		> caughtup
		> markersread
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> seen e1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=0; 0
		< publish a/n i1@12:00:00l
		> unpublished a/n i1@12:00:00l
		< timer publish 1m0s
		> +60s
		> timer publish
		< publish a/n i1@12:00:00l`},
	{"seen: another device was connected", `
		> elsewhere 11:00:00 11:30:00
		> catchup 0 a/n i1=x@11:01:00a i2=x@11:31:00a i3=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:01:00a/elsewhere +e2:i2=x@11:31:00a +e3:i3=x@12:00:00l a/n=2; 2
		= e3:i3=x@12:00:00l e2:i2=x@11:31:00a e1:i1=x@11:01:00a/elsewhere
		> elsewhere 11:30:00 11:40:00
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e2 a/n=1; 1
		= e3:i3=x@12:00:00l e2:i2=x@11:31:00a/elsewhere e1:i1=x@11:01:00a/elsewhere
		> elsewhere 11:32:00 11:33:00
		> catchup 0 a/n i4=x@11:35:00a
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e4:i4=x@11:35:00a/elsewhere; 1
		= e3:i3=x@12:00:00l e4:i4=x@11:35:00a/elsewhere e2:i2=x@11:31:00a/elsewhere e1:i1=x@11:01:00a/elsewhere`},
	{"seen: what came live here was not seen elsewhere, whatever its payload tells", `
		> live 1 a/n i1=atom:11:10:00
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=atom:11:10:00@11:10:00p a/n=1; 1
		< handled 1
		> elsewhere 11:00:00 11:30:00
		= e1:i1=atom:11:10:00@11:10:00p`},
	{"markers of a session do not count in the next", `
		> live 1 a/n i1=x@11:01:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:01:00d a/n=1; 1
		< handled 1
		> caughtup
		> markersread
		> seen e1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=0; 0
		< publish a/n i1@11:01:00d
		> published a/n i1@11:01:00d
		< timer flush 2s
		> ended
		> session
		> timer flush
		< commit node/0 meta
		> ok
		> marker a/n i1@11:01:00d
		> caughtup
		> markersread
		> ended
		< timer flush 2s
		> session
		> caughtup
		> markersread
		< publish a/n i1@11:01:00d`},
	{"the numbers of stanzas begin anew with each session", `
		> session
		< timer flush 2s
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> ended
		> session
		> live 1 a/n i1=x
		< handled 1`},
	{"the number of a stanza of the last session means nothing", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> live 2 a/n i2=x
		> ended
		> session
		> live 1 a/n i3=x
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i2=x@12:00:00l +e3:i3=x@12:00:00l a/n=3; 3
		< handled 1`},
	{"nor does it after a conflict", `
		> live 5 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ended
		> session
		> live 1 a/n
		> conflict
		< changed reset; 0
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1`},
	{"interest", `
		> interest /n#ns b/p*
		< timer flush 2s
		> live 1 a/n i1=x i2=other:x -i3 -i1
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l +e2:-i3@12:00:00l +e3:-i1@12:00:00l a/n=3; 3
		< handled 1
		> live 2 b/pq -i1 !deleted
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e4:-i1@12:00:00l +e5:!deleted@12:00:00l b/pq=2; 5
		< handled 2
		> live 3 c/x i1=x
		< handled 3
		> timer flush
		< commit node/0 meta
		> ok
		> interest all
		< missed a/n c/x
		< timer flush 2s
		= e5:!deleted@12:00:00l e4:-i1@12:00:00l e3:-i1@12:00:00l e2:-i3@12:00:00l e1:i1=x@12:00:00l
		> interest c
		< commit -xml/0 -xml/1 -event/0 node/0 position/0 -page/0 meta
		> ok
		< changed -e1 -e2 -e3 -e4 -e5 a/n=0 b/pq=0; 0
		=`},
	{"interest: a notification without payload", `
		> interest #ns
		< timer flush 2s
		> live 1 a/n i1 i2
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1@12:00:00l +e2:i2@12:00:00l a/n=2; 2
		< handled 1
		< fetch a/n i1
		< fetch a/n i2
		> fetched a/n i1 i1=other:x
		< commit event/0 node/0 page/0 meta
		> ok
		< changed -e1 a/n=1; 1
		> fetched a/n i2 i2=x
		< commit xml/1 -xml/0 event/0 node/0 page/0 meta
		> ok
		< changed *e2; 1
		= e2:i2=x@12:00:00l`},
	{"positions", `
		> session
		< timer flush 2s
		> reached a n,m c1@11:00:00a
		> reached a n,m c2@11:01:00a current
		> timer flush
		< commit node/0 position/0 meta
		> ok
		> reached a n c3@11:02:00a
		< timer flush 2s
		> timer flush
		< commit node/0 position/0 meta
		> ok
		> asked a/n
		< timer flush 2s
		> timer flush
		< commit node/0 meta
		> ok`},
	{"away", `
		> list +a/n initial
		> list +a/m
		> looked
		< commit since meta
		> ok
		< changed; 0
		> list +a/x
		< commit since meta
		> ok
		< changed; 0
		> list -a/n +b/n
		< commit since meta
		> ok
		< changed; 0
		> list -a/x
		< commit since meta
		> ok
		< changed; 0
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1`},
	{"store of a newer format, and its replacement", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> replaced
		< commit -.. xml/1 event/0 node/0 page/0 since meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		= e1:i1=x@12:00:00l`},
	{"a crash before the commit: the stanza comes again", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> stored
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1`},
	{"a hint that another tab has changed the store", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> stored
		> seen e1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=0; 0`},
	{"interest: what is left out of a catch-up is found later", `
		> session
		< timer flush 2s
		> interest #ns
		> reached a n c1@10:00:00a current
		> catchup 0 a/n i1=other:x@11:00:00a
		> catchup 0 a/m i1=other:x
		> interest #ns b
		> interest #ns #other
		< missed a/n a/m
		> interest #ns #other
		> interest all`},
	{"interest: stored with another one", `
		> interest #ns
		< timer flush 2s
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> live 2 a/n i2=other:x
		< handled 2
		> timer flush
		< commit node/0 meta
		> ok
		> interest all
		< missed a/n
		< timer flush 2s
		= e1:i1=x@12:00:00l`},
	{"positions survive a conflict", `
		> session
		< timer flush 2s
		> reached a n c1@11:00:00a current
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 position/0 page/0 meta
		> conflict
		< changed reset; 0
		< commit xml/0 event/0 node/0 position/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1`},
	{"no payload: an item is requested once at a time", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> live 2 a/n i1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1; 1
		< handled 2
		< fetch a/n i1
		> live 3 a/n i1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1; 1
		< handled 3
		> fetched a/n i1 i1=y
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i1=y@12:00:00l *e1 a/n=2; 2
		> live 4 a/n i1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e2; 2
		< handled 4
		< fetch a/n i1`},
	{"two tabs: what waited is handled after what conflicted", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> live 2 a/n i2=x
		> conflict
		< changed reset; 0
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l +e2:i2=x@12:00:00l a/n=2; 2
		< handled 2`},
	{"a marker of a node without events announces nothing", `
		> marker a/n i9@11:00:00d
		< commit node/0 meta
		> ok
		> live 1 b/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l b/n=1; 1
		< handled 1`},
	{"an event that is removed before it was stored is not announced", `
		> interest #ns
		< timer flush 2s
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> live 2 a/n i2=x
		> interest b
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		< commit -xml/0 -event/0 node/0 -page/0 meta
		> ok
		< changed -e1 a/n=0; 0
		< handled 2`},
	{"no payload: an event of no item cannot be fetched", `
		> live 1 a/n #s1
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:@12:00:00l a/n=1; 1
		< handled 1`},
	{"no payload: what was published again after a retraction does not complete the first event", `
		> live 1 a/n i1
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1@12:00:00l a/n=1; 1
		< handled 1
		< fetch a/n i1
		> live 2 a/n -i1
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:-i1@12:00:00l a/n=2; 2
		< handled 2
		> live 3 a/n i1=x
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i1=x@12:00:00l a/n=3; 3
		< handled 3
		> live 4 a/n -i1
		< commit xml/3 event/0 node/0 page/0 meta
		> ok
		< changed +e4:-i1@12:00:00l a/n=4; 4
		< handled 4
		> live 5 a/n i1
		< commit xml/4 event/0 node/0 page/0 meta
		> ok
		< changed +e5:i1@12:00:00l a/n=5; 5
		< handled 5
		> live 6 a/n i1=x
		< commit xml/5 -xml/4 event/0 node/0 page/0 meta
		> ok
		< changed *e5; 5
		< handled 6
		= e5:i1=x@12:00:00l e4:-i1@12:00:00l e3:i1=x@12:00:00l e2:-i1@12:00:00l e1:i1@12:00:00l`},
	{"no payload: a notification from before a retraction is none of a later publication", `
		> catchup 0 a/n i1=x@11:00:00a -i1@11:10:00a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:00:00a +e2:-i1@11:10:00a a/n=2; 2
		> catchup 0 a/n i1@11:05:00a
		> catchup 0 a/n i1@11:20:00a
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i1@11:20:00a a/n=3; 3
		< fetch a/n i1
		= e3:i1@11:20:00a e2:-i1@11:10:00a e1:i1=x@11:00:00a`},
	{"no payload: a copy that comes otherwise completes the event, and is not requested again", `
		> session
		< timer flush 2s
		> live 1 a/n i1
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1@12:00:00l a/n=1; 1
		< handled 1
		< fetch a/n i1
		> catchup 0 a/n i1=other:x@11:00:00a
		< commit xml/1 -xml/0 event/0 node/0 page/0 meta
		> ok
		< changed *e1; 1
		= e1:i1=x@11:00:00a
		> session
		> interest #other
		= e1:i1=x@11:00:00a`},
	{"no payload: what another tab has stored without it is requested", `
		> live 1 a/n i1
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1@12:00:00l a/n=1; 1
		< handled 1
		< fetch a/n i1
		> reload
		< changed reset; 1
		> live 1 a/n i1
		< handled 1
		< fetch a/n i1`},
	{"no payload: it shows that the event was dropped before", `
		> live 1 a/n i1=x@11:01:00d i2=x@11:02:00d i3=x@11:03:00d i4=x@11:04:00d i5=x@11:05:00d i6=x@11:06:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i2=x@11:02:00d +e3:i3=x@11:03:00d +e4:i4=x@11:04:00d +e5:i5=x@11:05:00d +e6:i6=x@11:06:00d a/n=5(1); 5
		< handled 1
		> live 2 a/n i1
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e7:i1@12:00:00l -e2 a/n=5(2); 5
		< handled 2
		< fetch a/n i1
		> fetched a/n i1 i1=x
		< commit -xml/1 event/0 node/0 page/0 meta
		> ok
		< changed -e7 a/n=4(2); 4
		= e6:i6=x@11:06:00d e5:i5=x@11:05:00d e4:i4=x@11:04:00d e3:i3=x@11:03:00d`},
	{"what was reached survives a failure of the store, and then a conflict", `
		> session
		< timer flush 2s
		> reached a n c1@11:00:00a current
		> replaced
		< commit -.. node/0 position/0 since meta
		> conflict
		< changed reset; 0
		> timer flush
		< commit node/0 position/0 meta`},
	{"seen: a marker that is handled again after a conflict is not the server's newest", `
		> live 1 a/n i1=x@11:01:00d i2=x@11:02:00d i3=x@11:03:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:01:00d +e2:i2=x@11:02:00d +e3:i3=x@11:03:00d a/n=3; 3
		< handled 1
		> caughtup
		> markersread
		> seen e1 e2
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 *e2 a/n=1; 1
		< publish a/n i2@11:02:00d
		> published a/n i2@11:02:00d
		< timer flush 2s
		> +1s
		> seen e3
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e3 a/n=0; 0
		< timer publish 4s
		> asked a/n
		> marker a/n i2@11:02:00d
		> +4s
		> timer publish
		< publish a/n i3@11:03:00d
		> live 2 a/n i4=x@11:04:00d
		< commit xml/1 event/0 node/0 page/0 meta
		> conflict
		< changed reset; 0
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e4:i4=x@11:04:00d a/n=1; 1
		< handled 2
		> published a/n i3@11:03:00d
		> +5s
		> timer publish`},
	{"a copy that may be of a later publication does not tell the time of the first", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> +10m
		> live 2 a/n -i1
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:-i1@12:10:00l a/n=2; 2
		< handled 2
		> catchup 0 a/n i1=x@12:12:00a
		= e2:-i1@12:10:00l e1:i1=x@12:00:00l
		> catchup 0 a/n i1=x@11:59:00a
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1; 2
		= e2:-i1@12:10:00l e1:i1=x@11:59:00a
		> catchup 0 a/n i1=x@12:15:00a
		> catchup 0 a/n i1=x@12:15:01a
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i1=x@12:15:01a a/n=3; 3
		= e3:i1=x@12:15:01a e2:-i1@12:10:00l e1:i1=x@11:59:00a`},
	{"published again after the first of two removals", `
		> catchup 0 a/n i1=x@11:00:00a -i1@11:10:00a !purged@11:30:00a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:00:00a +e2:-i1@11:10:00a +e3:!purged@11:30:00a a/n=3; 3
		> catchup 0 a/n i1=x@11:20:00a
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e4:i1=x@11:20:00a a/n=4; 4
		= e3:!purged@11:30:00a e4:i1=x@11:20:00a e2:-i1@11:10:00a e1:i1=x@11:00:00a`},
	{"published again: a copy of the retraction came live to this run", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> live 2 a/n -i1
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:-i1@12:00:00l a/n=2; 2
		< handled 2
		> reload
		< changed reset; 2
		> live 1 a/n -i1
		< handled 1
		> live 2 a/n i1=x
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i1=x@12:00:00l a/n=3; 3
		< handled 2
		= e3:i1=x@12:00:00l e2:-i1@12:00:00l e1:i1=x@12:00:00l`},
	{"retracted again: a copy of the publication came live without payload to this run", `
		> live 1 a/n -i1
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:-i1@12:00:00l a/n=1; 1
		< handled 1
		> live 2 a/n i1=x
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i1=x@12:00:00l a/n=2; 2
		< handled 2
		> reload
		< changed reset; 2
		> live 1 a/n i1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e2; 2
		< handled 1
		< fetch a/n i1
		> live 2 a/n -i1
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e3:-i1@12:00:00l a/n=3; 3
		< handled 2
		= e3:-i1@12:00:00l e2:i1=x@12:00:00l e1:-i1@12:00:00l`},
	{"published again: the retraction came to an earlier run", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> live 2 a/n -i1
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:-i1@12:00:00l a/n=2; 2
		< handled 2
		> reload
		< changed reset; 2
		> +4m
		> live 1 a/n i1=x
		< handled 1
		> +2m
		> live 2 a/n i1=x
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i1=x@12:06:00l a/n=3; 3
		< handled 2
		= e3:i1=x@12:06:00l e2:-i1@12:00:00l e1:i1=x@12:00:00l`},
	{"the first stamp counts", `
		> catchup 0 a/n i1=x@11:00:00a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:00:00a a/n=1; 1
		> resumed 1 a/n i1=x@11:00:30d
		< handled 1
		= e1:i1=x@11:00:00a`},
	{"node events: another one at about the same time is no copy", `
		> catchup 0 a/n !deleted@09:00:00a !purged@11:00:00a !deleted@11:00:30a !purged@10:55:00a !deleted@11:05:29a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:!deleted@09:00:00a +e2:!purged@11:00:00a +e3:!deleted@11:00:30a +e4:!purged@10:55:00a a/n=4; 4
		= e3:!deleted@11:00:30a e2:!purged@11:00:00a e4:!purged@10:55:00a e1:!deleted@09:00:00a`},
	{"node events: stamps and resumption", `
		> live 1 a/n !purged@10:00:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:!purged@10:00:00d a/n=1; 1
		< handled 1
		> live 2 a/n !purged@11:00:00d
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:!purged@11:00:00d a/n=2; 2
		< handled 2
		> resumed 3 b/n !purged
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e3:!purged@12:00:00l b/n=1; 3
		< handled 3
		> +2m
		> resumed 4 b/n !purged
		< handled 4
		= e3:!purged@12:00:00l e2:!purged@11:00:00d e1:!purged@10:00:00d`},
	{"a time of more than 5 minutes after the arrival", `
		> live 1 a/n i1=x@12:05:00d i2=x@12:05:01d i3=x@12:02:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:05:00d +e2:i2=x@12:05:01d +e3:i3=x@12:02:00d a/n=3; 3
		< handled 1
		= e1:i1=x@12:05:00d e3:i3=x@12:02:00d e2:i2=x@12:05:01d`},
	{"limit of a node: it is not known that an event was seen", `
		> catchup 0 a/n i1=x@11:01:00a i2=x@11:02:00a i3=x@11:03:00a i4=x@11:04:00a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:01:00a +e2:i2=x@11:02:00a +e3:i3=x@11:03:00a +e4:i4=x@11:04:00a a/n=4; 4
		> marker a/n i9@11:02:30l
		< commit node/0 page/0 meta
		> ok
		< changed *e1 *e2 *e3 *e4 a/n=0; 0
		> live 1 a/n i5=x
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e5:i5=x@12:00:00l a/n=1; 1
		< handled 1
		> seen e4
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e4; 1
		> live 2 a/n i6=x
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e6:i6=x@12:00:00l -e4 a/n=2(1); 2
		< handled 2
		= e6:i6=x@12:00:00l e5:i5=x@12:00:00l e3:i3=x@11:03:00a/unknown e2:i2=x@11:02:00a/unknown e1:i1=x@11:01:00a/unknown`},
	{"interest: removals in a node without wanted items", `
		> interest #ns
		< timer flush 2s
		> live 1 a/n -i1
		< handled 1
		> live 2 b/n i1=x -i1
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l +e2:-i1@12:00:00l b/n=2; 2
		< handled 2
		> interest #other
		< commit -xml/0 -event/0 node/0 position/0 -page/0 meta
		> ok
		< changed -e1 -e2 b/n=0; 0
		< missed a/n
		=
		> interest all
		< missed b/n`},
	{"the markers that were read in the last session say nothing in the next", `
		> session
		< timer flush 2s
		> live 1 a/n i1=x@11:01:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> caughtup
		> markersread
		> ended
		> session
		> ok
		< changed +e1:i1=x@11:01:00d a/n=1; 1
		> seen e1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=0; 0
		> markersread
		> caughtup
		< publish a/n i1@11:01:00d`},
	{"what was read and caught up before a conflict still counts", `
		> session
		< timer flush 2s
		> caughtup
		> markersread
		> live 1 a/n i1=x@11:01:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> conflict
		< changed reset; 0
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:01:00d a/n=1; 1
		< handled 1
		> seen e1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=0; 0
		< publish a/n i1@11:01:00d`},
	{"a resumed session: nodes that are current need no catch-up", `
		> session
		< timer flush 2s
		> reached a n c1@10:00:00a current
		> live 1 a/n i1=x@11:01:00d
		< commit xml/0 event/0 node/0 position/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:01:00d a/n=1; 1
		< handled 1
		> seen e1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=0; 0
		> reload
		< changed reset; 0
		> session resumed
		> markersread
		< publish a/n i1@11:01:00d`},
	{"nothing waits for the timer", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> timer flush`},
	{"published again: the retraction came live before a conflict", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> live 2 a/n -i1
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:-i1@12:00:00l a/n=2; 2
		< handled 2
		> live 3 b/n j1=x
		< commit xml/2 event/0 node/0 page/0 meta
		> conflict
		< changed reset; 2
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e3:j1=x@12:00:00l b/n=1; 3
		< handled 3
		> live 4 a/n i1=x
		< commit xml/3 event/0 node/0 page/0 meta
		> ok
		< changed +e4:i1=x@12:00:00l a/n=3; 4
		< handled 4
		= e4:i1=x@12:00:00l e3:j1=x@12:00:00l e2:-i1@12:00:00l e1:i1=x@12:00:00l`},
	{"seen: another program has cut the fraction of a second", `
		> live 1 a/n i1=x@11:01:00.999d i2=x@11:02:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:01:00d +e2:i2=x@11:02:00d a/n=2; 2
		< handled 1
		> caughtup
		> markersread
		> seen e1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=1; 1
		< publish a/n i1@11:01:00d
		> published a/n i1@11:01:00d
		< timer flush 2s
		> marker a/n i1@11:01:00d
		> +5s
		> seen e2
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e2 a/n=0; 0
		< publish a/n i2@11:02:00d
		> published a/n i2@11:02:00d`},
	{"seen: a marker with the seconds of its item", `
		> catchup 0 a/n i1=x@11:02:00.999a i0=x@11:01:00a i2=x@11:02:01a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:02:00a +e2:i0=x@11:01:00a +e3:i2=x@11:02:01a a/n=3; 3
		> marker a/n i1@11:02:00a
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e2 *e1 a/n=1; 1
		= e3:i2=x@11:02:01a e1:i1=x@11:02:00a/displayed e2:i0=x@11:01:00a/displayed`},
	{"seen: a time in the future tells nothing", `
		> catchup 0 a/n i3=x@13:00:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i3=x@13:00:00d a/n=1; 1
		> marker a/n i9@12:30:00d
		< commit node/0 page/0 meta
		> ok
		< changed *e1 a/n=0; 0
		= e1:i3=x@13:00:00d/unknown`},
	{"seen: what comes live after a marker is not seen, whatever its payload tells", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> marker a/n i1@12:00:00l
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=0; 0
		> live 2 a/n i2=atom:10:00:00
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i2=atom:10:00:00@10:00:00p a/n=1; 1
		< handled 2
		= e1:i1=x@12:00:00l/displayed e2:i2=atom:10:00:00@10:00:00p`},
	{"seen: a marker of an unknown item at the time of a known one, and copies of it", `
		> catchup 0 a/n i1=x@11:01:00a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:01:00a a/n=1; 1
		> marker a/n i9@11:01:00a
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=0; 0
		= e1:i1=x@11:01:00a/displayed
		> marker a/n i9@11:01:00a
		> marker a/n i8@11:01:00d
		> marker a/n i7@11:00:00a
		> catchup 0 a/n i2=x@11:02:00a
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i2=x@11:02:00a a/n=1; 1
		> marker a/n i6@10:00:00l
		< commit node/0 page/0 meta
		> ok
		< changed *e2 a/n=0; 0
		= e2:i2=x@11:02:00a/unknown e1:i1=x@11:01:00a/displayed`},
	{"seen: a marker of a retracted item", `
		> catchup 0 a/n i0=x@11:00:00a -i1@11:03:00a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i0=x@11:00:00a +e2:-i1@11:03:00a a/n=2; 2
		> marker a/n i1@11:03:00l
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 *e2 a/n=0; 0
		= e2:-i1@11:03:00a/displayed e1:i0=x@11:00:00a/displayed`},
	{"seen: a marker comes before its item", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> marker a/n i5@12:00:00l
		< commit node/0 page/0 meta
		> ok
		< changed *e1 a/n=0; 0
		> live 2 a/n i5=x
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i5=x@12:00:00l *e1 a/n=1; 1
		< handled 2
		= e2:i5=x@12:00:00l e1:i1=x@12:00:00l/displayed`},
	{"seen: the item of a marker is published again", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> marker a/n i1@12:00:00l
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=0; 0
		> +10s
		> live 2 a/n i1=y
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i1=y@12:00:10l a/n=1; 1
		< handled 2
		> catchup 0 a/n i3=x@12:00:05a
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i3=x@12:00:05a a/n=2; 2
		= e2:i1=y@12:00:10l e3:i3=x@12:00:05a e1:i1=x@12:00:00l/displayed`},
	{"seen: the clocks of two devices", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> +1m
		> live 2 a/n i1=y
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i1=y@12:01:00l a/n=2; 2
		< handled 2
		> marker a/n i1@12:00:00l
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 *e2 a/n=0; 0
		= e2:i1=y@12:01:00l/displayed e1:i1=x@12:00:00l/displayed
		> live 3 b/n i1=x
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i1=x@12:01:00l b/n=1; 1
		< handled 3
		> marker b/n i1@11:00:00l
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e3 b/n=0; 0
		= e3:i1=x@12:01:00l/displayed e2:i1=y@12:01:00l/displayed e1:i1=x@12:00:00l/displayed`},
	{"seen: a marker of a node outside of the interest", `
		> interest b
		< timer flush 2s
		> marker a/n i1@12:00:00l
		> timer flush
		< commit meta
		> ok`},
	{"seen: events of two nodes wait for the first one", `
		> live 1 a/n i1=x@11:01:00d i2=x@11:02:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:01:00d +e2:i2=x@11:02:00d a/n=2; 2
		< handled 1
		> live 2 b/n i1=x@11:01:00d i2=x@11:02:00d
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i1=x@11:01:00d +e4:i2=x@11:02:00d b/n=2; 4
		< handled 2
		> caughtup
		> markersread
		> seen e1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=1; 3
		< publish a/n i1@11:01:00d
		> published a/n i1@11:01:00d
		< timer flush 2s
		> +1s
		> seen e3
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e3 b/n=1; 2
		< publish b/n i1@11:01:00d
		> published b/n i1@11:01:00d
		> +1s
		> seen e2 e4
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e2 *e4 a/n=0 b/n=0; 0
		< timer publish 3s
		> +3s
		> timer publish
		< publish a/n i2@11:02:00d
		< timer publish 1s
		> +1s
		> timer publish
		< publish b/n i2@11:02:00d
		> published a/n i2@11:02:00d
		> unpublished a/n i1@11:01:00d
		> published b/n i2@11:02:00d`},
	{"seen: an event that is not shown yet, and one that was marked before", `
		> live 1 a/n i1=x@11:00:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> live 2 a/n i2=x@10:00:00d
		> seen upto:e1
		> ok
		< changed +e1:i1=x@11:00:00d a/n=1; 1
		< handled 1
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i2=x@10:00:00d *e1; 1
		< handled 2
		> seen e1
		= e1:i1=x@11:00:00d/here e2:i2=x@10:00:00d`},
	{"seen: the first and the last moment of another device", `
		> elsewhere 11:00:00 11:30:00
		> catchup 0 a/n i1=x@11:00:00a i2=x@11:30:00a i3=x@11:30:01a i4=x@10:59:59a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:00:00a/elsewhere +e2:i2=x@11:30:00a/elsewhere +e3:i3=x@11:30:01a +e4:i4=x@10:59:59a a/n=2; 2
		= e3:i3=x@11:30:01a e2:i2=x@11:30:00a/elsewhere e1:i1=x@11:00:00a/elsewhere e4:i4=x@10:59:59a`},
	{"seen: a marker of an unknown item is kept with what came before it", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> marker a/n i5@12:00:00l
		< commit node/0 page/0 meta
		> ok
		< changed *e1 a/n=0; 0
		> live 2 a/n i2=x
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i2=x@12:00:00l a/n=1; 1
		< handled 2
		= e2:i2=x@12:00:00l e1:i1=x@12:00:00l/unknown`},
	{"interest: in a service of which payloads were left out", `
		> interest #ns
		< timer flush 2s
		> catchup 0 b/n i1=other:x@11:00:00a
		> catchup 0 a/n i1=other:x@11:00:00a
		> interest #ns b
		< missed b/n`},
}

type transcript struct{ name, text string }

// TestTranscripts plays the transcripts.
func TestTranscripts(t *testing.T) {
	for _, tt := range slices.Concat(transcripts, seenTranscripts, markerTranscripts, copyTranscripts) {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlayer(t, Options{PerNode: 5, Total: 8})
			p.step(Stored{p.records()})
			var got, want []string
			for line := range strings.Lines(tt.text) {
				line = strings.TrimSpace(line)
				if line == "" {
					continue
				}
				want = append(want, line)
				text := line[1:]
				switch {
				case strings.HasPrefix(line, "> +"):
					d, err := time.ParseDuration(text[2:])
					if err != nil {
						t.Fatal(err)
					}
					p.now = p.now.Add(d)
					got = append(got, line)
				case line[0] == '>':
					got = append(got, line)
					for _, out := range p.step(p.read(text)) {
						got = append(got, "< "+p.format(out))
					}
				case line[0] == '=':
					got = append(got, strings.TrimSpace("= "+p.list(Query{})))
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got\n%s", strings.Join(got, "\n"))
			}
			if !p.m.Busy() {
				p.readAgain()
			}
		})
	}
}

// readAgain checks that a machine that reads the records has the same events, and counts the
// same bytes.
func (p *player) readAgain() {
	p.t.Helper()
	m, want := p.m, p.list(Query{})
	p.m = New(m.opts)
	for _, out := range p.m.Step(p.now, Stored{p.records()}) {
		if w, ok := out.(Warning); ok {
			p.t.Error(w.Err)
		}
	}
	if got := p.list(Query{}); got != want || p.m.bytes != m.bytes || p.m.unseen != m.unseen || p.m.dropped != m.dropped {
		p.t.Errorf("read %s with %d bytes, %d unseen, %d dropped; want %s, %d, %d, %d", got, p.m.bytes, p.m.unseen, p.m.dropped, want, m.bytes, m.unseen, m.dropped)
	}
	p.m = m
}
