package inbox

// What counts as seen.
var seenTranscripts = []transcript{
	{"seen: a live event is not, whatever time its payload has", `
		> elsewhere 10:00:00 11:00:00
		> live 1 a/n i1=atom:10:30:00
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=atom:10:30:00@10:30:00p a/n=1; 1
		< handled 1
		= e1:i1=atom:10:30:00@10:30:00p`},
	{"seen: up to a purge, which no marker can name", `
		> live 1 a/n i1=x i2=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l +e2:i2=x@12:00:00l a/n=2; 2
		< handled 1
		> live 2 a/n !purged
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e3:!purged@12:00:00l a/n=3; 3
		< handled 2
		> caughtup
		> markersread
		> seen upto:e3
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 *e2 *e3 a/n=0; 0
		< publish a/n i2@12:00:00l`},
	{"seen: up to an event in the order of the list, not of arrival", `
		> catchup 0 a/n i1=x@11:00:00a i2=x@10:00:00a i3=x@11:30:00a i4=x@10:30:00a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:00:00a +e2:i2=x@10:00:00a +e3:i3=x@11:30:00a +e4:i4=x@10:30:00a a/n=4; 4
		> seen upto:e4
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e2 *e4 a/n=2; 2
		= e3:i3=x@11:30:00a e1:i1=x@11:00:00a e4:i4=x@10:30:00a/here e2:i2=x@10:00:00a/here`},
	{"seen: what came at an unknown time is not", `
		> elsewhere 11:50:00 12:10:00
		> catchup 0 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		= e1:i1=x@12:00:00l`},
}
