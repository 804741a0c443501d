package inbox

// Markers of this device and of others.
var markerTranscripts = []transcript{
	{"marker: of an item that was published again", `
		> catchup 0 a/n i1=x@11:00:00a i2=x@11:10:00a i1=y@11:20:00a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:00:00a +e2:i2=x@11:10:00a +e3:i1=y@11:20:00a a/n=3; 3
		> marker a/n i1@11:00:00a
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=2; 2
		> marker a/n i1@11:20:00a
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e2 *e3 a/n=0; 0
		= e3:i1=y@11:20:00a/displayed e2:i2=x@11:10:00a/displayed e1:i1=x@11:00:00a/displayed`},
	{"marker: of an item that was published again soon afterwards", `
		> catchup 0 a/n i1=x@11:02:00a i1=y@11:02:30a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:02:00a +e2:i1=y@11:02:30a a/n=2; 2
		> marker a/n i1@11:02:00a
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=1; 1
		= e2:i1=y@11:02:30a e1:i1=x@11:02:00a/displayed`},
	{"marker: the clocks of two devices do not differ by minutes", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> +2m
		> live 2 a/n i1=y
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i1=y@12:02:00l a/n=2; 2
		< handled 2
		> marker a/n i1@12:00:00l
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=1; 1
		= e2:i1=y@12:02:00l e1:i1=x@12:00:00l/displayed`},
	{"marker: an item that was retracted minutes later", `
		> +2m
		> live 1 a/n -i1
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:-i1@12:02:00l a/n=1; 1
		< handled 1
		> marker a/n i1@12:00:00l
		< commit node/0 page/0 meta
		> ok
		< changed *e1 a/n=0; 0
		= e1:-i1@12:02:00l/unknown`},
	{"marker: one by an archive replaces one by the clock of a device", `
		> catchup 0 a/n i1=x@10:30:00a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@10:30:00a a/n=1; 1
		> marker a/n i9@12:00:00l
		< commit node/0 page/0 meta
		> ok
		< changed *e1 a/n=0; 0
		> marker a/n i8@11:00:00a
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1; 0
		= e1:i1=x@10:30:00a/displayed`},
	{"marker: one without an item means nothing", `
		> marker a/n @12:00:00l`},
	{"marker: a copy of one of an unknown item does not reach what came in between", `
		> marker a/n i9@12:00:00l
		< commit node/0 meta
		> ok
		> live 1 a/n i2=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i2=x@12:00:00l a/n=1; 1
		< handled 1
		> marker a/n i9@12:00:00l
		> live 2 a/n i3=x
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i3=x@12:00:00l a/n=2; 2
		< handled 2
		= e2:i3=x@12:00:00l e1:i2=x@12:00:00l`},
	{"marker: a copy of the own one that comes before the answer", `
		> live 1 a/n i1=x@11:00:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:00:00d a/n=1; 1
		< handled 1
		> caughtup
		> markersread
		> seen e1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=0; 0
		< publish a/n i1@11:00:00d
		> marker a/n i1@11:00:00d
		> published a/n i1@11:00:00d
		< timer flush 2s`},
	{"marker: it follows the item, of which a better time is known later", `
		> live 1 a/n i1=x
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@12:00:00l a/n=1; 1
		< handled 1
		> marker a/n i1@12:00:00l
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=0; 0
		> resumed 2 a/n i1=x@11:00:00d
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1; 0
		< handled 2
		> catchup 0 a/n i5=x@11:30:00a
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e2:i5=x@11:30:00a a/n=1; 1
		= e2:i5=x@11:30:00a e1:i1=x@11:00:00d/displayed`},
	{"marker: a later publication of its item comes after it", `
		> catchup 0 a/n i1=x@11:00:00a i2=x@11:10:00a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:00:00a +e2:i2=x@11:10:00a a/n=2; 2
		> marker a/n i1@11:20:00a
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=1; 1
		> catchup 0 a/n i1=y@11:20:00a
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i1=y@11:20:00a/displayed *e2 a/n=0; 0
		= e3:i1=y@11:20:00a/displayed e2:i2=x@11:10:00a/displayed e1:i1=x@11:00:00a/displayed`},
	{"marker: the item of an earlier one comes late", `
		> catchup 0 a/n i1=x@11:00:00a i2=x@11:30:00a
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:00:00a +e2:i2=x@11:30:00a a/n=2; 2
		> marker a/n i9@11:05:00l
		< commit node/0 page/0 meta
		> ok
		< changed *e1 *e2 a/n=0; 0
		> marker a/n i2@11:30:00l
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 *e2; 0
		> catchup 0 a/n i9=x@11:05:00a
		< commit xml/1 event/0 node/0 page/0 meta
		> ok
		< changed +e3:i9=x@11:05:00a/displayed; 0
		> catchup 0 a/n i3=x@11:20:00a
		< commit xml/2 event/0 node/0 page/0 meta
		> ok
		< changed +e4:i3=x@11:20:00a/displayed; 0
		= e2:i2=x@11:30:00a/displayed e4:i3=x@11:20:00a/displayed e3:i9=x@11:05:00a/displayed e1:i1=x@11:00:00a/displayed`},
	{"marker: what other devices have seen counts for the next one", `
		> live 1 a/n i1=x@11:00:00d i2=x@11:01:00d i3=x@11:02:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@11:00:00d +e2:i2=x@11:01:00d +e3:i3=x@11:02:00d a/n=3; 3
		< handled 1
		> caughtup
		> markersread
		> marker a/n i1@11:00:00d
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=2; 2
		> seen e2
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e2 a/n=1; 1
		< publish a/n i2@11:01:00d`},
	{"marker: of an event of the future its arrival counts", `
		> live 1 a/n i1=x@13:00:00d
		< commit xml/0 event/0 node/0 page/0 meta
		> ok
		< changed +e1:i1=x@13:00:00d a/n=1; 1
		< handled 1
		> caughtup
		> markersread
		> seen e1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=0; 0
		< publish a/n i1@12:00:00l`},
	{"marker: of two nodes that wait the second is due first", `
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
		> seen e3
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e3 b/n=1; 3
		< publish b/n i1@11:01:00d
		> published b/n i1@11:01:00d
		< timer flush 2s
		> +1s
		> seen e1
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e1 a/n=1; 2
		< publish a/n i1@11:01:00d
		> published a/n i1@11:01:00d
		> seen e2 e4
		< commit event/0 node/0 page/0 meta
		> ok
		< changed *e2 *e4 a/n=0 b/n=0; 0
		< timer publish 4s`},
}
