package inbox

// What is a copy, and what has happened again.
var copyTranscripts = []transcript{
	{"the stanza-id of a copy counts, and so does that it has none", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> live 2 a/n i1=x#s1
		< handled 2
		< timer flush 2s
		> timer flush
		< commit node/0 meta
		> ok
		> live 3 a/n i1=x
		< handled 3
		< timer flush 2s`},
	{"events of an unknown type, and about a subscription", `
		> live 1 a/n !
		< handled 1
		> live 2 a/n !odd
		< handled 2
		< warning inbox: an event was refused: 1 with an unknown type, or a name that is longer than allowed`},
	{"an item without an id: its payload says when it was published", `
		> catchup 0 a/n =atom:10:00:00
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:=atom:10:00:00@10:00:00p a/n=1; 1
		> +10m
		> catchup 0 a/n =atom:10:00:00
		= e1:=atom:10:00:00@10:00:00p`},
	{"an item without an id is not completed, and completes none", `
		> resumed 1 a/n @11:00:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:@11:00:00d a/n=1; 1
		< handled 1
		> resumed 2 a/n =x@11:00:00d
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:=x@11:00:00d a/n=2; 2
		< handled 2
		> resumed 3 a/n @10:00:00d
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e3:@10:00:00d a/n=3; 3
		< handled 3
		= e2:=x@11:00:00d e1:@11:00:00d e3:@10:00:00d`},
	{"the configuration is no Atom entry", `
		> live 1 a/n !configured=atom:10:00:00
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:!configured=<title>10:00:00</title><updated>2026-11-29T10:00:00Z</updated></entry>@12:00:00l a/n=1; 1
		< handled 1
		= e1:!configured=<title>10:00:00</title><updated>2026-11-29T10:00:00Z</updated></entry>@12:00:00l`},
	{"a payload that belongs to an item that was retracted in the meantime", `
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
		> catchup 0 a/n i1=x@11:00:00a
		< commit xml/2 -xml/0 event/0 node/0 page/0 meta
		> ok
		< changed *e1; 2
		= e2:-i1@12:00:00l e1:i1=x@11:00:00a`},
	{"a copy of an item that was fetched", `
		> live 1 a/n i1
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1@12:00:00l a/n=1; 1
		< handled 1
		< fetch a/n i1
		> fetched a/n i1 i1=x
		< commit xml/1 -xml/0 event/0 node/0 page/0 meta
		> ok
		< changed *e1; 1
		> live 2 a/n i1=x
		< handled 2
		= e1:i1=x@12:00:00l`},
	{"without a payload, the last publication may have changed", `
		> live 1 a/n i1=x@11:00:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:00:00d a/n=1; 1
		< handled 1
		> catchup 0 a/n i1=y@10:00:00a
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i1=y@10:00:00a a/n=2; 2
		> live 2 a/n i1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e2; 2
		< handled 2
		< fetch a/n i1`},
	{"published again after the item was retracted, or the node purged or deleted", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> live 2 a/n -i2
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:-i2@12:00:00l a/n=2; 2
		< handled 2
		> live 3 a/n i1=x
		< handled 3
		> live 4 a/n -i1
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e3:-i1@12:00:00l a/n=3; 3
		< handled 4
		> live 5 a/n i1=x
		< commit xml/3 event/0 node/0 page/0 meta
		> ok
		< changed +e4:i1=x@12:00:00l a/n=4; 4
		< handled 5
		= e4:i1=x@12:00:00l e3:-i1@12:00:00l e2:-i2@12:00:00l e1:i1=x@12:00:00l`},
	{"published again after a purge", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> live 2 a/n !purged
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:!purged@12:00:00l a/n=2; 2
		< handled 2
		> live 3 a/n i1=x
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i1=x@12:00:00l a/n=3; 3
		< handled 3
		> live 4 a/n !purged
		< commit xml/3 event/0 node/0 page/0 meta
		> ok
		< changed +e4:!purged@12:00:00l a/n=4; 4
		< handled 4
		= e4:!purged@12:00:00l e3:i1=x@12:00:00l e2:!purged@12:00:00l e1:i1=x@12:00:00l`},
	{"published again after the node was deleted", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> live 2 a/n !deleted
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:!deleted@12:00:00l a/n=2; 2
		< handled 2
		> live 3 a/n i1=x
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i1=x@12:00:00l a/n=3; 3
		< handled 3
		> live 4 a/n !deleted
		< commit xml/3 event/0 node/0 page/0 meta
		> ok
		< changed +e4:!deleted@12:00:00l a/n=4; 4
		< handled 4
		= e4:!deleted@12:00:00l e3:i1=x@12:00:00l e2:!deleted@12:00:00l e1:i1=x@12:00:00l`},
	{"published again: the configuration and another item do not show it", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> live 2 a/n !configured=f i2=x
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:!configured=f@12:00:00l +e3:i2=x@12:00:00l a/n=3; 3
		< handled 2
		> live 3 a/n i1=x
		< handled 3
		= e3:i2=x@12:00:00l e2:!configured=f@12:00:00l e1:i1=x@12:00:00l`},
	{"retracted again: only the publication of the item shows it", `
		> live 1 a/n i1=x -i1
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l +e2:-i1@12:00:00l a/n=2; 2
		< handled 1
		> live 2 a/n i2=x -i2
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i2=x@12:00:00l +e4:-i2@12:00:00l a/n=4; 4
		< handled 2
		> live 3 a/n -i1
		< handled 3
		= e4:-i2@12:00:00l e3:i2=x@12:00:00l e2:-i1@12:00:00l e1:i1=x@12:00:00l`},
	{"an item that does not exist is not requested again", `
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
		> live 3 a/n i1=y i2
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i1=y@12:00:00l +e3:i2@12:00:00l a/n=3; 3
		< handled 3
		< fetch a/n i2
		> live 4 a/n i1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e2; 3
		< handled 4
		> fetched a/n i1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 *e2; 3
		> fetched b/n i1
		> nofetch a/n i2
		> session
		< fetch a/n i2
		< timer flush 2s`},
	{"a copy with a better time comes with the event", `
		> live 1 a/n i1=x i1=x@11:00:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:00:00d a/n=1; 1
		< handled 1`},
	{"what has changed is announced once", `
		> looked
		< commit since meta
		> ok
		< changed; 0
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> live 2 a/n i1=x
		< handled 2`},
	{"an event that is marked and then dropped", `
		> live 1 a/n i1=x i2=x i3=x i4=x i5=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l +e2:i2=x@12:00:00l +e3:i3=x@12:00:00l +e4:i4=x@12:00:00l +e5:i5=x@12:00:00l a/n=5; 5
		< handled 1
		> live 2 b/n j1=x
		< commit xml/1 event/0 node/0 page/0 meta
		> seen e1
		> live 3 a/n i6=x
		> ok
		< changed +e6:j1=x@12:00:00l b/n=1; 6
		< handled 2
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e7:i6=x@12:00:00l -e1 a/n=5(1); 6
		< handled 3
		= e7:i6=x@12:00:00l e6:j1=x@12:00:00l e5:i5=x@12:00:00l e4:i4=x@12:00:00l e3:i3=x@12:00:00l e2:i2=x@12:00:00l`},
	{"the same interest again", `
		> interest #ns
		< timer flush 2s
		> timer flush
		< commit meta
		> ok
		> interest #ns`},
	{"interest: a removal is kept if an item of the node is", `
		> live 1 a/n i1=ns:x -i1 i2=other:y
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l +e2:-i1@12:00:00l +e3:i2=y@12:00:00l a/n=3; 3
		< handled 1
		> interest #ns
		< commit event/0 node/0 page/0 meta
		> ok
		< changed -e3 a/n=2; 2
		= e2:-i1@12:00:00l e1:i1=x@12:00:00l`},
	{"published and retracted again in one stanza", `
		> live 1 a/n i1=x -i1 i1=x -i1
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l +e2:-i1@12:00:00l +e3:i1=x@12:00:00l +e4:-i1@12:00:00l a/n=4; 4
		< handled 1
		= e4:-i1@12:00:00l e3:i1=x@12:00:00l e2:-i1@12:00:00l e1:i1=x@12:00:00l`},
	{"published again: 5 minutes after the retraction, which came to an earlier run", `
		> live 1 a/n i1=x -i1
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l +e2:-i1@12:00:00l a/n=2; 2
		< handled 1
		> reload
		< changed reset; 2
		> +5m
		> live 1 a/n i1=x
		< handled 1
		> +1s
		> live 2 a/n i1=x
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i1=x@12:05:01l a/n=3; 3
		< handled 2
		= e3:i1=x@12:05:01l e2:-i1@12:00:00l e1:i1=x@12:00:00l`},
	{"published again: a catch-up that does not tell when says nothing", `
		> live 1 a/n i1=x -i1
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l +e2:-i1@12:00:00l a/n=2; 2
		< handled 1
		> +10m
		> catchup 0 a/n i1=x
		= e2:-i1@12:00:00l e1:i1=x@12:00:00l`},
	{"node events: a minute later, and a second more", `
		> live 1 a/n !purged
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:!purged@12:00:00l a/n=1; 1
		< handled 1
		> +1m
		> live 2 a/n !purged
		< handled 2
		> +1s
		> live 3 a/n !purged
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:!purged@12:01:01l a/n=2; 2
		< handled 3`},
	{"node events: a purge, a publication and a purge", `
		> live 1 a/n !purged i1=x !purged
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:!purged@12:00:00l +e2:i1=x@12:00:00l +e3:!purged@12:00:00l a/n=3; 3
		< handled 1`},
}
