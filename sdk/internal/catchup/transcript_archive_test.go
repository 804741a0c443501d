package catchup

// Reading archives: that of the account and those of nodes.
var archiveTranscripts = []transcript{
	{"an expired cursor, and a message of the moment to which the archive must reach back", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> failed 1 item-not-found
		< 2 query me with=p start=08:45 max=100
		> result 2 a2@08:55 p +h/o2
		> end 2 complete last=a2
		< found account-archive p+h/o2@08:55#a2
		< reached p h a2@08:55 current
		< done 1/1 complete`},
	{"the oldest message is a day younger than the last session", `
		> start all since=2026-11-01T09:00 p/h(until=2026-11-01T09:00)
		< 1 query me with=p start=2026-11-01T08:00 max=100
		> end 1 complete
		< 2 query me max=1
		> result 2 z0@2026-11-02T09:00 mallory chat
		> end 2 last=z0
		< reached p h current
		< done 1/1 unknown`},
	{"the oldest message is more than a day younger than the last session", `
		> start all since=2026-11-01T09:00 p/h(until=2026-11-01T09:00)
		< 1 query me with=p start=2026-11-01T08:00 max=100
		> end 1 complete
		< 2 query me max=1
		> result 2 z0@2026-11-02T09:01 mallory chat
		> end 2 last=z0
		< reached p h current
		< done 1/1 partial p/h:archive-truncated:2026-11-01T08:55-2026-11-02T09:01`},
	{"mod_pam: a first session also finds its place in the archive", `
		> start all p/h
		< 1 query me with=p max=1 before
		< 2 items p/h max=20
		> result 1 a7@09:30 p +h/o7
		> end 1 last=a7
		< reached p h a7@09:30
		> items 2 o7
		< found new items p+h/o7
		< asked p/h
		< reached p h a7@09:30 current
		< done 1/1 unknown
		> live p/h a8@09:50
		< reached p h a8@09:50
		> live p/h a9@10:30
		< reached p h a9@10:00`},
	{"mod_pam: an empty archive has no place", `
		> start all p/h
		< 1 query me with=p max=1 before
		< 2 items p/h max=20
		> end 1 complete
		< reached p h
		> items 2
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"mod_pam: one query reads the events of all nodes of a service", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50) p/m(until=09:00,cursor=a1@08:50) bob/urn:pep(until=09:00,cursor=b1@08:00)
		< 1 query me with=bob max=100 after=b1
		< 2 query me with=p max=100 after=a1
		> result 2 a2@09:10 p +h/o2
		> result 2 a3@09:20 p +m/x1
		> end 2 last=a3
		< found account-archive p+h/o2@09:10#a2 p+m/x1@09:20#a3
		< reached p h,m a3@09:20
		< 3 query me with=p max=100 after=a3
		> result 3 a4@09:30 p -h/o1
		> result 3 a5@09:40 p ~m
		> end 3 last=a5 complete
		< found account-archive p-h/o1@09:30#a4 p~m@09:40#a5
		< reached p h,m a5@09:40 current
		> result 1 b2@09:15 bob +urn:pep/p1
		> result 1 b3@09:16 bob chat
		> end 1 complete last=b3
		< found account-archive bob+urn:pep/p1@09:15#b2
		< reached bob urn:pep b3@09:16 current
		< done 3/3 complete`},
	{"mod_pam: nothing was missed", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> end 1 complete
		< reached p h a1@08:50 current
		< done 1/1 complete`},
	{"the archive does not keep the message of the cursor, but reaches back to the last session", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@2026-11-01T08:50) q/n(until=09:00,cursor=c1@08:50)
		< 1 query me with=p max=100 after=a1
		< 2 query me with=q max=100 after=c1
		> failed 1 item-not-found
		< 3 query me with=p start=2026-11-01T08:45 max=100
		> end 2 complete
		< reached q n c1@08:50 current
		> result 3 a9@09:30 p +h/o9
		> end 3 complete last=a9
		< found account-archive p+h/o9@09:30#a9
		< 4 query me max=1
		> result 4 z0@2026-11-20T10:00 mallory chat
		> end 4 last=z0
		< reached p h a9@09:30 current
		< done 2/2 complete`},
	{"the archive does not reach back to the last session", `
		> start all since=2026-11-01T09:00 p/h(until=2026-11-01T09:00,cursor=a1@2026-11-01T08:50)
		< 1 query me with=p max=100 after=a1
		> failed 1 item-not-found
		< 2 query me with=p start=2026-11-01T08:45 max=100
		> result 2 a9@09:30 p +h/o9
		> end 2 complete last=a9
		< found account-archive p+h/o9@09:30#a9
		< 3 query me max=1
		> result 3 z0@2026-11-20T10:00 mallory chat
		> end 3 last=z0
		< reached p h a9@09:30 current
		< done 1/1 partial p/h:archive-truncated:2026-11-01T08:55-2026-11-20T10:00`},
	{"an empty archive after the message of the cursor has expired", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50) p/m(until=08:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> failed 1 item-not-found
		< 2 query me with=p start=08:45 max=100
		> end 2 complete
		< 3 query me max=1
		> end 3 complete
		< reached p h,m @08:50 current
		< done 2/2 partial p/:archive-truncated:08:50-10:00`},
	{"by time: an older message shows that the archive reaches back", `
		> start all since=09:00 p/h(until=09:00,cursor=@08:50)
		< 1 query me with=p start=08:45 max=100
		> result 1 a1@08:46 p +h/o1
		> end 1 complete last=a1
		< found account-archive p+h/o1@08:46#a1
		< reached p h a1@08:46 current
		< done 1/1 complete`},
	{"by time: of a node without events, by this device's clock minus an hour", `
		> start all since=09:00 p/h(until=09:00)
		< 1 query me with=p start=08:00 max=100
		> end 1 complete
		< 2 query me max=1
		> result 2 z@08:59 mallory chat
		> end 2 last=z
		< reached p h current
		< done 1/1 unknown`},
	{"by time: whether the archive reaches back is not known", `
		> start all since=09:00 p/h(until=09:00)
		< 1 query me with=p start=08:00 max=100
		> end 1 complete
		< 2 query me max=1
		> result 2 z@09:01 mallory chat
		> end 2 last=z
		< reached p h current
		< done 1/1 unknown`},
	{"an archive that does not say that it is complete", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> end 1
		< reached p h a1@08:50 current
		< done 1/1 unknown`},
	{"an archive whose results are not stable", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> end 1 complete unstable
		< reached p h a1@08:50 current
		< done 1/1 unknown`},
	{"live events were seen to be archived, but the server does not say that all are", `
		> start some since=09:00 p/h(until=09:00,cursor=a1@08:50,archived) p/m(until=09:00)
		< 1 query me with=p max=100 after=a1
		< 2 items p/m max=20 compare
		> result 1 a2@09:10 p +h/o2
		> end 1 complete last=a2
		< found account-archive p+h/o2@09:10#a2
		< reached p h a2@09:10 current
		> items 2 m1 known=m1
		< asked p/m
		< reached p m current
		< done 2/2 unknown`},
	{"the account's archive refuses: each node is asked by the next means", `
		> start all since=09:00 archive:l p/h(until=09:00,cursor=a1@08:50) l/b(until=09:00,cursor=a1@08:50) p/gone(until=09:00,left) q/new
		< reached q new @08:00
		< 1 query me with=l max=100 after=a1
		< 2 query me with=p max=100 after=a1
		< 3 query me with=q start=07:55 max=100
		< 4 items q/new max=20
		> failed 1 service-unavailable
		< 5 query l/b start=08:45 max=100
		> failed 2 service-unavailable
		< reached p gone current
		< 6 items p/h max=20 compare`},
	{"a node that was subscribed to elsewhere is read from the cursor of the others", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50) p/new(until=09:00) p/fresh
		< 1 query me with=p max=100 after=a1
		< 2 items p/fresh max=20
		> end 1 complete
		< reached p fresh a1@08:50
		< reached p h,new a1@08:50 current
		> items 2 o1
		< found new items p+fresh/o1
		< asked p/fresh
		< reached p fresh a1@08:50 current
		< done 3/3 complete`},
	{"all nodes were subscribed to elsewhere: the archive is read from the end of the last session", `
		> start all since=09:00 p/new
		< reached p new @08:00
		< 1 query me with=p start=07:55 max=100
		< 2 items p/new max=20
		> items 2 o1
		< found new items p+new/o1
		< asked p/new
		< reached p new @08:00
		> failed 1 timeout
		< 3 query me with=p start=07:55 max=25
		> failed 3 timeout
		< done failed 1/1 partial p/new:error:09:00-10:00
		> start all since=10:00 p/new(cursor=@08:00)
		< 4 query me with=p start=07:55 max=100
		< 5 items p/new max=20
		> result 4 a2@09:10 p +new/o1
		> end 4 complete last=a2
		< found account-archive p+new/o1@09:10#a2
		< 6 query me max=1`},
	{"a node that was not current for longer needs an earlier place", `
		> start all since=09:00 p/h(until=09:00,cursor=a5@08:50) p/m(until=07:00,cursor=a1@06:50) p/n(until=08:00)
		< 1 query me with=p max=100 after=a1`},
	{"a node without a cursor that was not current for longer than the others", `
		> start all since=09:00 p/h(until=09:00,cursor=a5@08:50) p/n(until=08:00)
		< 1 query me with=p start=07:00 max=100`},
	{"Libervia: the archive of the node holds items only", `
		> start none since=09:00 archive:l l/b(until=09:00) l/c(until=09:00,cursorBy=l:7@08:50)
		< 1 query l/b start=08:00 max=100
		< 2 query l/c max=100 after=7
		> result 1 8@09:10 . +b/o1
		> result 1 9@09:11 . +other/o1
		> result 2 8@09:12 mallory@evil.test/x +c/o1
		> end 1 last=9
		< found node-archive l+b/o1@09:10
		< 3 query l/b start=08:00 max=100 after=9
		> end 2 complete last=8
		< found node-archive l+c/o1@09:12
		< asked l/c
		< reached l c 8@09:12:l current
		> end 3 complete
		< asked l/b
		< reached l b 9@09:11:l current
		< done 2/2 partial l/b:deletions-unknown:08:00-10:00 l/c:deletions-unknown:08:45-10:00`},
	{"the archive of the node is not offered after all: no other node of the service is asked for it", `
		> start none since=09:00 archive:l l/b(until=09:00) l/c(until=09:00) l/d(until=09:00)
		< 1 query l/b start=08:00 max=100
		< 2 query l/c start=08:00 max=100
		> failed 1 feature-not-implemented
		< 3 items l/b max=20 compare
		> failed 2 feature-not-implemented
		< 4 items l/c max=20 compare
		> items 3 o1 known=o1
		< asked l/b
		< reached l b current
		< 5 items l/d max=20 compare`},
	{"the archive of one node is forbidden", `
		> start none since=09:00 archive:l l/b(until=09:00) l/d(until=09:00)
		< 1 query l/b start=08:00 max=100
		< 2 query l/d start=08:00 max=100
		> failed 1 forbidden
		< 3 items l/b max=20 compare
		> failed 3 forbidden/auth
		< asked l/b
		> end 2 complete
		< asked l/d
		< reached l d current
		< done 2/2 partial l/b:forbidden:09:00-10:00 l/d:deletions-unknown:08:00-10:00`},
	{"an archive that does not answer is asked for less", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> failed 1 timeout
		< 2 query me with=p max=25 after=a1
		> end 2 last=a2
		< reached p h a2@08:50
		< 3 query me with=p max=100 after=a2
		> end 3 complete
		< reached p h a2@08:50 current
		< done 1/1 complete`},
	{"an archive that does not answer any more: what was read is not missing", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> result 1 a2@09:10 p +h/o2
		> end 1 last=a2
		< found account-archive p+h/o2@09:10#a2
		< reached p h a2@09:10
		< 2 query me with=p max=100 after=a2
		> failed 2 timeout
		< 3 query me with=p max=25 after=a2
		> failed 3 timeout
		< done failed 1/1 partial p/h:error:09:10-10:00`},
	{"an archive that does not answer any more, before it is known how far it reaches back", `
		> start all since=09:00 p/h(until=09:00)
		< 1 query me with=p start=08:00 max=100
		> result 1 a2@09:10 p +h/o2
		> end 1 last=a2
		< found account-archive p+h/o2@09:10#a2
		< 2 query me with=p start=08:00 max=100 after=a2
		> failed 2 timeout
		< 3 query me with=p start=08:00 max=25 after=a2
		> failed 3 timeout
		< done failed 1/1 partial p/h:error:09:00-10:00`},
	{"the archive refuses one query and answers another", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> added p/m(until=09:00,cursor=a1@08:50)
		< 2 query me with=p max=100 after=a1
		> failed 1 service-unavailable
		< 3 items p/h max=20 compare
		> end 2 complete
		< reached p m a1@08:50 current
		> live p/m a8@09:50
		< reached p m a8@09:50`},
	{"live events do not move the cursor after the catch-up was cancelled", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> cancel
		< withdraw 1
		< done idle 0/1 unknown
		> live p/h a8@09:50`},
	{"a page of the archive is gone while it is read", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> result 1 a2@09:10 p +h/o2
		> end 1 last=a2
		< found account-archive p+h/o2@09:10#a2
		< reached p h a2@09:10
		< 2 query me with=p max=100 after=a2
		> failed 2 item-not-found
		< 3 query me with=p start=09:05 max=100
		> result 3 a9@09:30 p +h/o9
		> end 3 last=a9
		< found account-archive p+h/o9@09:30#a9
		< 4 query me with=p start=09:05 max=100 after=a9
		> failed 4 item-not-found
		< done 1/1 partial p/h:archive-truncated:09:10-10:00`},
	{"all nodes of an archive go", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50) q/n(until=09:00)
		< 1 query me with=p max=100 after=a1
		< 2 query me with=q start=08:00 max=100
		> end 2 complete
		< 3 query me max=1
		> removed p/h
		< withdraw 1
		> removed q/n`},
	{"a page that is cut off: what came of it counts", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50) p/m(until=09:00) q/n(until=09:00,cursor=c1@08:50) bob/b(until=09:00,cursor=b1@08:50)
		< 1 query me with=bob max=100 after=b1
		< 2 query me with=p max=100 after=a1
		< 3 query me with=q max=100 after=c1
		> result 1 b2@09:10 bob +b/o1
		> result 2 a2@09:10 p +h/o2
		> result 2 a3@09:11 p +m/o2
		> result 3 c2@09:10 q +n/o2
		> paused
		< found account-archive bob+b/o1@09:10#b2
		< found account-archive p+h/o2@09:10#a2 p+m/o2@09:11#a3
		< found account-archive q+n/o2@09:10#c2
		> resumed
		> result 2 a4@09:12 p +h/o3
		> result 2 a5@09:13 p +m/o3
		> removed p/h
		> failed 2 forbidden
		< found account-archive p+m/o3@09:13#a5
		< 4 items p/m max=20 compare
		> result 3 c3@09:12 q +n/o3
		> cancel
		< withdraw 1
		< withdraw 3
		< found account-archive q+n/o3@09:12#c3
		< withdraw 4
		< done idle 0/3 unknown`},
	{"the events of a node whose subscription ended", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50) p/m(until=09:00,cursor=a1@08:50,left) q/n(until=09:00,cursor=c1@08:50,left)
		< 1 query me with=p max=100 after=a1
		< 2 query me with=q max=100 after=c1
		> result 1 a2@09:10 p +m/o2
		> result 1 a3@09:11 p ~m
		> end 1 complete
		< found account-archive p+m/o2@09:10#a2 p~m@09:11#a3
		< reached p h,m a3@09:11 current
		> result 2 c2@09:11 q -n/o1
		> end 2 complete
		< found account-archive q-n/o1@09:11#c2
		< reached q n c2@09:11 current
		< done 1/1 complete`},
	{"a node that is not in the list is asked for its items", `
		> start all since=09:00 bob/urn:pep(until=09:00,unlisted)
		< 1 items bob/urn:pep max=20 compare`},
	{"only wanted payloads", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50,payload=x) p/m(until=09:00,payload=y,unlisted)
		< 1 query me with=p max=100 after=a1
		< 2 items p/m max=20 compare
		> result 1 a2@09:10 p +h/o1
		> result 1 a3@09:10 p +h/o2=2:y
		> result 1 a4@09:10 p -h/o2
		> items 2 m1 m2=1:y known=m0
		< found items p+m/m2
		< asked p/m
		< reached p m current`},
	{"forged results of archives", `
		> start all since=09:00 archive:l p/h(until=09:00,cursor=a1@08:50) l/b(until=09:00,unlisted)
		< 1 query l/b start=08:00 max=100
		< 2 query me with=p max=100 after=a1
		> result 2 f1@09:10 p +h/o1 from=mallory
		> result 9 f2@09:10 p +h/o1
		> result 2 f3@09:10 mallory +h/o1
		> result 2 f4@09:10 p +other/o1
		> result 2 f5@09:10 p +b/o1
		> result 2 f6@09:10 pubsub.one.test/x +h/o1
		> result 2 f7@09:10 p sub:h
		> result 2 f8@09:10 . +h/o1
		> result 1 a2@09:10 p +h/o1
		> result 1 a3@09:10 l +b/o3
		> end 1 complete
		< found node-archive l+b/o3@09:10
		< asked l/b
		< reached l b a3@09:10:l current
		> result 1 a4@09:12 l +b/o4
		> result 2 a5@09:11 p +h/o2 delay=09:05
		> result 2 a6@09:12 l +b/o5
		> end 2 complete
		< found account-archive p+h/o2@09:05:delay#a5 l+b/o5@09:12#a6
		< reached p h a6@09:12 current
		< done 2/2 partial l/b:deletions-unknown:08:00-10:00`},
	{"the archive of a node does not speak of another", `
		> start none since=09:00 archive:l l/b(until=09:00) l/c(until=09:00)
		< 1 query l/b start=08:00 max=100
		< 2 query l/c start=08:00 max=100
		> result 1 8@09:10 . +c/o1
		> result 2 8@09:10 . +c/o1
		> end 1 complete
		< asked l/b
		< reached l b 8@09:10:l current
		> end 2 complete
		< found node-archive l+c/o1@09:10
		< asked l/c
		< reached l c 8@09:10:l current
		< done 2/2 partial l/b:deletions-unknown:08:00-10:00 l/c:deletions-unknown:08:00-10:00`},
	{"the events of the account's own nodes have no sender", `
		> start all since=09:00 me/n(until=09:00,cursor=a1@08:50)
		< 1 query me with=me max=100 after=a1
		> result 1 a2@09:10 . +n/o1
		> result 1 a3@09:10 me +n/o2
		> end 1 complete last=a3
		< found account-archive me+n/o1@09:10#a2 me+n/o2@09:10#a3
		< reached me n a3@09:10 current
		< done 1/1 complete`},
	{"a live event that comes before the items of a new node", `
		> start all p/h
		< 1 query me with=p max=1 before
		< 2 items p/h max=20
		> end 1 last=a7
		< reached p h a7@0001-01-01T00:00
		> live p/h a8@09:50
		< reached p h a8@09:50
		> items 2 o8
		< found new items p+h/o8
		< asked p/h
		< reached p h a8@09:50 current
		< done 1/1 unknown`},
	{"a stamp in the future is not believed in a cursor", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> result 1 a2@23:00 p +h/o2
		> end 1 complete last=a2
		< found account-archive p+h/o2@23:00#a2
		< reached p h a2@10:00 current
		< done 1/1 complete`},
	{"an archive without stamps", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> result 1 a2 p +h/o2
		> end 1 complete last=a2
		< found account-archive p+h/o2#a2
		< reached p h a2@08:50 current
		< done 1/1 complete`},
	{"an archive that repeats a page", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> end 1 last=a2
		< reached p h a2@08:50
		< 2 query me with=p max=100 after=a2
		> end 2 last=a3
		< reached p h a3@08:50
		< 3 query me with=p max=100 after=a3
		> end 3 last=a2
		< done 1/1 partial p/h:archive-truncated:09:00-10:00`},
	{"an archive that repeats the message of the cursor", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> end 1 last=a1
		< done 1/1 partial p/h:archive-truncated:09:00-10:00`},
	{"the archive says nothing about the page", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> result 1 a2@09:10 p +h/o2
		> end 1
		< found account-archive p+h/o2@09:10#a2
		< reached p h a2@09:10
		< 2 query me with=p max=100 after=a2
		> end 2 complete
		< reached p h a2@09:10 current
		< done 1/1 complete`},
	{"a new node whose items are forbidden is current: there is nothing to show", `
		> start all p/h
		< 1 query me with=p max=1 before
		< 2 items p/h max=20
		> failed 2 forbidden
		< asked p/h
		< reached p h
		> end 1 complete
		< reached p h current
		< done 1/1 unknown`},
	{"a new node that was not fetched is read from its cursor all the same", `
		> start all since=09:00 p/h(cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		< 2 items p/h max=20
		> items 2 o1
		< found new items p+h/o1
		< asked p/h
		< reached p h a1@08:50
		> result 1 a2@09:10 p +h/o2
		> end 1 complete last=a2
		< found account-archive p+h/o2@09:10#a2
		< reached p h a2@09:10 current
		< done 1/1 complete`},
	{"the archive of the account does not answer", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50) q/n(until=09:00)
		< 1 query me with=p max=100 after=a1
		< 2 query me with=q start=08:00 max=100
		> end 2 complete
		< 3 query me max=1
		> failed 1 timeout
		< 4 query me with=p max=25 after=a1
		> failed 3 timeout
		< 5 query me max=1
		> failed 4 timeout
		> failed 5 timeout
		< reached q n current
		< done 2/2 partial p/h:error:09:00-10:00`},
}
