package catchup

// Reading items.
var itemsTranscripts = []transcript{
	{"items: what came in the last moment of the last session is known", `
		> start none since=08:55 p/h(until=08:55)
		< 1 items p/h max=20 compare
		> items 1 1..20 known=10..10
		< found items p+h/o1..o9 p+h/o11..o20
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"items: the only one that is known is enough", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 1..20 known=10..10
		< found items p+h/o1..o9 p+h/o11..o20
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"refused: the account may not read the nodes", `
		> start none since=09:00 a/n(until=09:00) b/n(until=09:00) c/n(until=09:00) d/n(until=09:00) e/n(until=09:00) f/n(until=09:00)
		< 1 items a/n max=20 compare
		< 2 items b/n max=20 compare
		< 3 items c/n max=20 compare
		< 4 items d/n max=20 compare
		> failed 1 forbidden
		< asked a/n
		< 5 items f/n max=20 compare
		> failed 2 not-authorized
		< asked b/n
		< 6 items e/n max=20 compare
		> failed 3 not-allowed
		< asked c/n
		> failed 4 payment-required
		< asked d/n
		> failed 5 registration-required
		< asked f/n
		> failed 6 subscription-required
		< asked e/n
		< done failed 6/6 partial a/n:forbidden:09:00-10:00 b/n:forbidden:09:00-10:00 c/n:forbidden:09:00-10:00 d/n:forbidden:09:00-10:00 e/n:forbidden:09:00-10:00 f/n:forbidden:09:00-10:00`},
	{"refused: the node does not exist any more", `
		> start none since=09:00 a/n(until=09:00) b/n(until=09:00)
		< 1 items a/n max=20 compare
		< 2 items b/n max=20 compare
		> failed 1 item-not-found
		< found items a~n
		< asked a/n
		< reached a n current
		> failed 2 gone
		< found items b~n
		< asked b/n
		< reached b n current
		< done 2/2 partial a/n:node-keeps-fewer:09:00-10:00 b/n:node-keeps-fewer:09:00-10:00`},
	{"refused: the service cannot be reached", `
		> start none since=09:00 a/n(until=09:00) b/n(until=09:00) c/n(until=09:00) d/n(until=09:00) e/n(until=09:00)
		< 1 items a/n max=20 compare
		< 2 items b/n max=20 compare
		< 3 items c/n max=20 compare
		< 4 items d/n max=20 compare
		> failed 1 remote-server-timeout
		< asked a/n
		< 5 items e/n max=20 compare
		> failed 2 remote-server-not-found
		< asked b/n
		> failed 3 recipient-unavailable
		< asked c/n
		> failed 4 service-unavailable
		< asked d/n
		> failed 5 feature-not-implemented
		< asked e/n
		< done failed 5/5 partial a/n:error:09:00-10:00 b/n:error:09:00-10:00 c/n:error:09:00-10:00 d/n:error:09:00-10:00 e/n:not-archived:09:00-10:00`},
	{"refused: the service is busy", `
		> start none since=09:00 a/n(until=09:00) b/n(until=09:00)
		< 1 items a/n max=20 compare
		< 2 items b/n max=20 compare
		> failed 1 resource-constraint
		< timer 10:00:05
		> failed 2 policy-violation`},
	{"items: new ones after a known one", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 1..5 known=1..3
		< found items p+h/o4 p+h/o5
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"items: nothing was missed", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 1..3 known=1..3
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"items: items from before the subscription are not missed", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 1..20 known=8..18
		< found items p+h/o19 p+h/o20
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"items: more are read until known ones are among them", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 131..150 known=1..50
		< 2 items p/h max=100 compare
		> items 2 51..150 known=1..50
		< 3 items p/h max=500 compare
		> items 3 1..150 known=1..50
		< found items p+h/o51..o150
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"items: the node keeps fewer than were missed", `
		> start none since=09:00 bob/urn:pep(until=09:00)
		< 1 items bob/urn:pep max=20 compare
		> items 1 o9 known=o1
		< found items bob+urn:pep/o9
		< asked bob/urn:pep
		< reached bob urn:pep current
		< done 1/1 partial bob/urn:pep:deletions-unknown:09:00-10:00 bob/urn:pep:node-keeps-fewer:09:00-10:00`},
	{"items: the node has more than are read", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 981..1000 known=1..2
		< 2 items p/h max=100 compare
		> items 2 901..1000 known=1..2
		< 3 items p/h max=500 compare
		> items 3 501..1000 known=1..2
		< found items p+h/o501..o1000
		< asked p/h
		< reached p h current
		< done 1/1 partial p/h:archive-truncated:09:00-10:00 p/h:deletions-unknown:09:00-10:00`},
	{"items: an item that was published again with another payload is not a known one", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o2 o3 o4 o1=2 known=o1,o2
		< found items p+h/o3 p+h/o4 p+h/o1=2
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"items: at ejabberd it keeps its place", `
		> start none since=09:00 e/h(until=09:00)
		< 1 items e/h max=20 compare
		> items 1 o1=2 o2 o3 known=o1,o2
		< found items e+h/o1=2 e+h/o3
		< asked e/h
		< reached e h current
		< done 1/1 unknown`},
	{"items: the same payload published again is not trusted alone", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 31..49 cur known=o1,o2,cur
		< 2 items p/h max=100 compare
		> items 2 1..49 cur known=o1,o2,cur
		< found items p+h/o3..o49
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"items: a retraction", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o1 o3 o4 known=o1,o2,o3
		< found items p+h/o4 p-h/o2
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"items: an item that is gone may have been removed because the node was full", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o2 o3 o4 known=o1,o2,o3
		< found items p+h/o4
		< asked p/h
		< reached p h current
		< done 1/1 partial p/h:deletions-unknown:09:00-10:00`},
	{"items: all are gone", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 known=o1,o2
		< asked p/h
		< reached p h current
		< done 1/1 partial p/h:deletions-unknown:09:00-10:00`},
	{"items: the newest first", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o5 o4 o3 o2 known=o2,o3
		< found items p+h/o5 p+h/o4
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"items: the node is deleted", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> failed 1 item-not-found
		< found items p~h
		< asked p/h
		< reached p h current
		< done 1/1 partial p/h:node-keeps-fewer:09:00-10:00`},
	{"paging: the newest page first", `
		> start none since=09:00 paging:e e/h(until=09:00)
		< 1 items e/h max=20 before compare
		> items 1 131..150 count=150 first=2026-11-26T09:30:00.5Z last=2026-11-26T09:50:00.25Z known=1..100
		< 2 items e/h max=80 before=2026-11-26T09:30:00.5Z compare
		> items 2 51..130 count=150 first=2026-11-26T08:30:00Z last=2026-11-26T09:29:59Z known=1..100
		< found items e+h/o101..o150
		< asked e/h
		< reached e h current
		< done 1/1 partial e/h:deletions-unknown:09:00-10:00`},
	{"paging: a service that ignores it sends all", `
		> start none since=09:00 paging:p p/h(until=09:00)
		< 1 items p/h max=20 before compare
		> items 1 1..40 known=1..3
		< found items p+h/o4..o40
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"paging: a service that ignores it and has few", `
		> start none since=09:00 paging:p p/h(until=09:00)
		< 1 items p/h max=20 before compare
		> items 1 3..8 known=1..3
		< found items p+h/o4..o8
		< asked p/h
		< reached p h current
		< done 1/1 partial p/h:deletions-unknown:09:00-10:00`},
	{"paging: a page that is repeated", `
		> start none since=09:00 paging:e e/h(until=09:00)
		< 1 items e/h max=20 before compare
		> items 1 131..150 count=500 first=x last=y known=1..3
		< 2 items e/h max=80 before=x compare
		> items 2 131..150 count=500 first=x last=y known=1..3
		< found items e+h/o131..o150
		< asked e/h
		< reached e h current
		< done 1/1 partial e/h:archive-truncated:09:00-10:00 e/h:deletions-unknown:09:00-10:00`},
	{"paging: a page without ids", `
		> start none since=09:00 paging:e e/h(until=09:00)
		< 1 items e/h max=20 before compare
		> items 1 131..150 count=500 known=1..3
		< 2 items e/h max=100 compare`},
	{"paging: the number of items does not tell that all were read, because it changes", `
		> start none since=09:00 paging:e e/h(until=09:00)
		< 1 items e/h max=20 before compare
		> items 1 131..150 count=100 first=x last=y known=1..3
		< 2 items e/h max=80 before=x compare
		> items 2 51..130 count=100 first=w last=v known=1..3
		< 3 items e/h max=400 before=w compare`},
	{"paging: refused", `
		> start none since=09:00 paging:e e/h(until=09:00)
		< 1 items e/h max=20 before compare
		> failed 1 feature-not-implemented
		< 2 items e/h max=20 compare`},
	{"a service that ignores max_items", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 1..30 known=1..3
		< found items p+h/o4..o30
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"items: of items that were found together, one between two others was retracted", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o1 o3 o4 known=~o1,~o2,~o3
		< found items p+h/o4 p-h/o2
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"items: of items that were found together, the first and the last may have been removed", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o2 o3 known=~o1,~o2,~o3,~o4
		< asked p/h
		< reached p h current
		< done 1/1 partial p/h:deletions-unknown:09:00-10:00`},
	{"items: an item that was found late is not older than live ones before it", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o1 o2 known=o1,o2,~o3
		< asked p/h
		< reached p h current
		< done 1/1 partial p/h:deletions-unknown:09:00-10:00`},
	{"items: old items are found if the order of the service is not known", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 1..5 known=~o3,~o4
		< found items p+h/o1 p+h/o2 p+h/o5
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"items: what came live since does not tell how far to read", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 31..50 known=o1,o2,!o49,!o50
		< 2 items p/h max=100 compare
		> items 2 1..50 known=o1,o2,!o49,!o50
		< found items p+h/o3..o48
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"items: what came live while they were read is not missing", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o1 o2 known=o1,o2,!o3
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"items: without digests the ids decide", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o1=8 o2=9 o3 known=o1=,o2=
		< found items p+h/o3
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"paging: the item before the page is gone", `
		> start none since=09:00 paging:e e/h(until=09:00)
		< 1 items e/h max=20 before compare
		> items 1 131..150 count=500 first=x last=y known=1..3
		< 2 items e/h max=80 before=x compare
		> failed 2 item-not-found
		< 3 items e/h max=100 compare`},
}
