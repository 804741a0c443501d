package catchup

// Where an archive is read from, how far it reaches back, and the gaps that remain.
var placeTranscripts = []transcript{
	{"the time of the cursor is nearer than 5 minutes before the end of the last session: the archive reaches back to it", `
		> start all since=09:00 p/h(until=09:00,cursorBy=l:7@08:57)
		< 1 query me with=p start=08:52 max=100
		> end 1 complete
		< 2 query me max=1
		> result 2 z0@08:57 mallory chat
		> end 2 last=z0
		< reached p h @08:57 current
		< done 1/1 complete`},
	{"a cursor without a time", `
		> start all since=09:00 p/h(until=09:00,cursor=a1)
		< 1 query me with=p max=100 after=a1
		> end 1 complete
		< reached p h a1@0001-01-01T00:00 current
		< done 1/1 complete`},
	{"a cursor without a time, of which the message is gone, and no session before: the whole archive", `
		> start all p/h(cursor=a1)
		< 1 query me with=p max=100 after=a1
		< 2 items p/h max=20
		> failed 1 item-not-found
		< 3 query me with=p max=100`},
	{"the node with the earliest place comes first", `
		> start all since=09:00 p/h(until=07:00,cursor=a1@06:50) p/m(until=09:00,cursor=a5@08:50)
		< 1 query me with=p max=100 after=a1`},
	{"a node without a cursor needs no earlier place than a quiet one", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@06:00) p/n(until=08:00)
		< 1 query me with=p max=100 after=a1`},
	{"of two nodes without a cursor the one that was not current for longer", `
		> start all since=09:00 p/h(until=07:00) p/m(until=08:00)
		< 1 query me with=p start=06:00 max=100`},
	{"new nodes do not hide that the others miss something", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50) p/new
		< 1 query me with=p max=100 after=a1
		< 2 items p/new max=20
		> items 2 o1
		< found new items p+new/o1
		< asked p/new
		< reached p new
		> failed 1 timeout
		< 3 query me with=p max=25 after=a1
		> failed 3 timeout
		< done failed 2/2 partial p/:error:09:00-10:00`},
	{"a new node that was not fetched misses what came after its cursor", `
		> start all since=09:00 p/h(cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		< 2 items p/h max=20
		> failed 2 timeout
		< 3 items p/h max=20
		> failed 3 timeout
		< asked p/h
		> end 1 last=a1
		< done failed 1/1 partial p/h:archive-truncated:08:50-10:00`},
	{"likewise, if the archive does not answer", `
		> start all since=09:00 p/h(cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		< 2 items p/h max=20
		> items 2 o1
		< found new items p+h/o1
		< asked p/h
		< reached p h a1@08:50
		> failed 1 timeout
		< 3 query me with=p max=25 after=a1
		> failed 3 timeout
		< done failed 1/1 partial p/h:error:08:50-10:00`},
	{"nothing was read: the time of the cursor does not count", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@09:05)
		< 1 query me with=p max=100 after=a1
		> failed 1 timeout
		< 2 query me with=p max=25 after=a1
		> failed 2 timeout
		< done failed 1/1 partial p/h:error:09:00-10:00`},
	{"by time, an archive that reaches back: what was read is not missing", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> failed 1 item-not-found
		< 2 query me with=p start=08:45 max=100
		> result 2 a2@08:46 p +h/o2
		> result 2 a3@09:30 p +h/o3
		> end 2 last=a3
		< found account-archive p+h/o2@08:46#a2 p+h/o3@09:30#a3
		< reached p h a3@09:30
		< 3 query me with=p start=08:45 max=100 after=a3
		> failed 3 timeout
		< 4 query me with=p start=08:45 max=25 after=a3
		> failed 4 timeout
		< done failed 1/1 partial p/h:error:09:30-10:00`},
	{"a gap that would end before it begins ends now", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> at 10:05
		> result 1 a2@10:02 p +h/o2
		> end 1 last=a2
		< found account-archive p+h/o2@10:02#a2
		< reached p h a2@10:02
		< 2 query me with=p max=100 after=a2
		> failed 2 timeout
		< 3 query me with=p max=25 after=a2
		> failed 3 timeout
		< done failed 1/1 partial p/h:error:10:02-10:05`},
	{"the clock was set back: a gap does not begin later than it ends", `
		> start none since=10:30 p/h(until=10:30)
		< 1 items p/h max=20 compare
		> failed 1 forbidden
		< asked p/h
		< done failed 1/1 partial p/h:forbidden:10:00-10:00`},
	{"an archive that is read by time, of which the messages have no stamps", `
		> start all since=09:00 p/h(until=09:00,cursor=@08:50)
		< 1 query me with=p start=08:45 max=100
		> result 1 a1 p +h/o1
		> end 1 complete last=a1
		< found account-archive p+h/o1#a1
		< 2 query me max=1`},
	{"a result without an id is not the last one", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> result 1 a2@09:10 p +h/o2
		> result 1 @09:11 p +h/o3
		> end 1
		< found account-archive p+h/o2@09:10#a2 p+h/o3@09:11
		< reached p h a2@09:10
		< 2 query me with=p max=100 after=a2`},
	{"an end that does not speak of the page, a result without a message, and one for a request for items", `
		> start all since=09:00 archive:l p/h(until=09:00,cursor=a1@08:50) l/b(until=09:00,unlisted) q/x(until=09:00,unlisted)
		< 1 query l/b start=08:00 max=100
		< 2 query me with=p max=100 after=a1
		< 3 items q/x max=20 compare
		> result 2 a2@09:10 p empty
		> end 2 complete bare
		< reached p h a2@09:10 current
		> result 1 8@09:10 l empty
		> end 1 complete bare
		< asked l/b
		< reached l b 8@09:10:l current
		> result 3 a9@09:10 q from=q +x/o9
		> items 3 o1 known=o1
		< asked q/x
		< reached q x current
		< done 3/3 partial l/b:deletions-unknown:08:00-10:00`},
	{"the account does not say that it archives all events: the oldest message says nothing, and nothing is complete", `
		> start some since=09:00 p/h(until=09:00,archived) q/n(until=09:00,cursor=c1@08:50,archived)
		< 1 query me with=p start=08:00 max=100
		< 2 query me with=q max=100 after=c1
		> end 1 complete
		< reached p h current
		> end 2 complete
		< reached q n c1@08:50 current
		< done 2/2 unknown`},
	{"likewise, although the archive reaches back and says that it has all", `
		> start some since=09:00 p/h(until=09:00,cursor=a1@08:50,archived)
		< 1 query me with=p max=100 after=a1
		> end 1 complete
		< reached p h a1@08:50 current
		< done 1/1 unknown`},
	{"likewise, but the message of the cursor is gone", `
		> start some since=09:00 p/h(until=09:00,cursor=a1@08:50,archived)
		< 1 query me with=p max=100 after=a1
		> failed 1 item-not-found
		< 2 query me with=p start=08:45 max=100
		> end 2 complete
		< 3 query me max=1`},
	{"an archive that is read by time and does not say that it is complete", `
		> start all since=09:00 p/h(until=09:00)
		< 1 query me with=p start=08:00 max=100
		> end 1
		< reached p h current
		< done 1/1 unknown`},
	{"the oldest message is asked for once", `
		> start all since=09:00 p/h(until=09:00) q/n(until=09:00) e/x(until=09:00)
		< 1 query me with=e start=08:00 max=100
		< 2 query me with=p start=08:00 max=100
		< 3 query me with=q start=08:00 max=100
		> end 1 complete
		< 4 query me max=1
		> end 2 complete
		> result 4 z0@08:30 mallory chat
		> end 4 last=z0
		< reached e x current
		< reached p h current
		> end 3 complete
		< reached q n current
		< done 3/3 complete`},
	{"the oldest message is not known: the archive refuses", `
		> start all since=09:00 p/h(until=09:00)
		< 1 query me with=p start=08:00 max=100
		> end 1 complete
		< 2 query me max=1
		> failed 2 service-unavailable
		< reached p h current
		< done 1/1 unknown`},
	{"the oldest message is not known: the archive does not answer", `
		> start all since=09:00 p/h(until=09:00)
		< 1 query me with=p start=08:00 max=100
		> end 1 complete
		< 2 query me max=1
		> failed 2 timeout
		< 3 query me max=1
		> failed 3 timeout
		< reached p h current
		< done 1/1 unknown`},
	{"nodes go while the oldest message is sought", `
		> start all since=2026-11-01T09:00 p/h(until=2026-11-01T09:00) q/n(until=2026-11-01T09:00)
		< 1 query me with=p start=2026-11-01T08:00 max=100
		< 2 query me with=q start=2026-11-01T08:00 max=100
		> end 1 complete
		< 3 query me max=1
		> end 2 complete
		> removed p/h
		> result 3 z0@09:30 mallory chat
		> end 3 last=z0
		< reached q n current
		< done 1/1 partial q/n:archive-truncated:2026-11-01T08:55-09:30
		> added p/m(until=09:00,cursor=a1@08:50)
		< 4 query me with=p max=100 after=a1
		> end 4 complete
		< reached p m a1@08:50 current
		< done 2/2 partial q/n:archive-truncated:2026-11-01T08:55-09:30
		> live p/m a9@09:59
		< reached p m a9@09:59`},
	{"the oldest message of the account says nothing about the archive of a node", `
		> start all since=2026-11-01T09:00 archive:l p/h(until=2026-11-01T09:00) l/b(until=2026-11-01T09:00,unlisted)
		< 1 query l/b start=2026-11-01T08:00 max=100
		< 2 query me with=p start=2026-11-01T08:00 max=100
		> end 2 complete
		< 3 query me max=1
		> result 3 z0@09:30 mallory chat
		> end 3 last=z0
		< reached p h current
		> end 1 complete
		< asked l/b
		< reached l b current
		< done 2/2 partial l/b:deletions-unknown:2026-11-01T08:00-10:00 p/h:archive-truncated:2026-11-01T08:55-09:30`},
	{"the archive of a node and the archive of the account have messages of the same id", `
		> start all since=09:00 archive:l l/b(until=09:00,unlisted) l/c(until=09:00,cursor=a1@08:50)
		< 1 query l/b start=08:00 max=100
		< 2 query me with=l max=100 after=a1
		> live l/c a9@09:59
		> result 1 a9@09:59 l +b/o1
		> end 2 complete
		< reached l c a9@09:59 current`},
	{"other messages do not hide a live one", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> live p/h a9@09:59
		> result 1 a2@09:10 p +h/o2
		> end 1 complete last=a2
		< found account-archive p+h/o2@09:10#a2
		< reached p h a9@09:59 current
		< done 1/1 complete`},
	{"an answer of the archive that is none", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> items 1 o1
		< 2 items p/h max=20 compare`},
	{"by time there is no message that can be gone", `
		> start all since=09:00 p/h(until=09:00)
		< 1 query me with=p start=08:00 max=100
		> failed 1 item-not-found
		< 2 items p/h max=20 compare`},
	{"the cursor of an archive does not matter for items", `
		> start none since=09:00 l/b(until=09:00,cursorBy=l:7@08:50)
		< 1 items l/b max=20 compare
		> failed 1 item-not-found
		< found items l~b
		< asked l/b
		< reached l b 7@08:50:l current
		< done 1/1 partial l/b:node-keeps-fewer:09:00-10:00`},
	{"the archive of one node is forbidden, that of another gone: a third is asked", `
		> start none since=09:00 archive:l l/b(until=09:00) l/c(until=09:00) l/d(until=09:00) l/e(until=09:00)
		< 1 query l/b start=08:00 max=100
		< 2 query l/c start=08:00 max=100
		> failed 1 forbidden
		< 3 items l/b max=20 compare
		> failed 2 item-not-found
		< 4 items l/c max=20 compare
		> items 3 o1 known=o1
		< asked l/b
		< reached l b current
		< 5 query l/d start=08:00 max=100
		> items 4 o1 known=o1
		< asked l/c
		< reached l c current
		< 6 query l/e start=08:00 max=100`},
	{"a new node is not asked twice if the archive of the account refuses", `
		> start all p/new
		< 1 query me with=p max=1 before
		< 2 items p/new max=20
		> failed 1 service-unavailable
		< reached p new
		> items 2 o1
		< found new items p+new/o1
		< asked p/new
		< reached p new current
		< done 1/1 unknown`},
}
