package catchup

// The nodes of a service that are read together in the archive of the account, and live events in the meantime.
var groupTranscripts = []transcript{
	{"one archive is refused, another is read to its end: the live cursor belongs to the nodes of the archive", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> added p/m(until=09:00,cursor=a1@08:50)
		< 2 query me with=p max=100 after=a1
		> end 2 complete
		< reached p m a1@08:50 current
		> live p/m a8@09:50
		> failed 1 service-unavailable
		< 3 items p/h max=20 compare
		> items 3 o1 known=o1
		< asked p/h
		< reached p h a1@08:50 current
		< done 2/2 unknown`},
	{"a live event while two queries are open", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> added p/m(until=09:00,cursor=a1@08:50)
		< 2 query me with=p max=100 after=a1
		> live p/h a9@09:50
		> end 1 complete
		< reached p h a1@08:50 current
		> end 2 complete
		< reached p m a9@09:50 current
		< done 2/2 complete`},
	{"a live event while two queries are open, of which one fails", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> added p/m(until=09:00,cursor=a1@08:50)
		< 2 query me with=p max=100 after=a1
		> live p/m a9@09:50
		> failed 1 timeout
		< 3 query me with=p max=25 after=a1
		> failed 3 timeout
		> end 2 complete
		< reached p m a1@08:50 current
		< done 2/2 partial p/h:error:09:00-10:00`},
	{"the cursor of a live event is used once", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> live p/h a9@09:50
		> end 1 complete
		< reached p h a9@09:50 current
		< done 1/1 complete
		> added p/m(until=09:00,cursor=a9@09:50)
		< 2 query me with=p max=100 after=a9
		> end 2 complete last=a11
		< reached p m a11@09:50 current
		< done 2/2 complete`},
	{"nodes of a service that are asked by themselves have no part in the cursor of the others", `
		> start all since=09:00 p/c(until=09:00,cursor=a1@08:50) p/x(until=09:00,unlisted) p/y(until=09:00,unlisted) p/z(until=09:00,unlisted)
		< 1 query me with=p max=100 after=a1
		< 2 items p/x max=20 compare
		< 3 items p/y max=20 compare
		> removed p/z
		> failed 2 forbidden
		< asked p/x
		> live p/c a8@09:49
		> live p/x a9@09:49
		> end 1 complete
		< reached p c a8@09:49 current
		> live p/c a10@09:50
		< reached p c a10@09:50
		> items 3 o1 known=o1
		< asked p/y
		< reached p y current
		< done 3/3 partial p/x:forbidden:09:00-10:00`},
	{"the archive of a node is refused while that of the account is read", `
		> start all since=09:00 archive:l l/b(until=09:00,unlisted) l/c(until=09:00,cursor=a1@08:50)
		< 1 query l/b start=08:00 max=100
		< 2 query me with=l max=100 after=a1
		> failed 1 feature-not-implemented
		< 3 items l/b max=20 compare
		> live l/c a9@09:50`},
	{"nodes that go while the archive of the account is read", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50) p/m(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> removed p/h
		> end 1 last=a2
		< reached p m a2@08:50
		< 2 query me with=p max=100 after=a2
		> end 2 complete
		< reached p m a2@08:50 current
		< done 1/1 complete`},
	{"all nodes of an archive go before it is asked, or while it is read", `
		> start all since=09:00 p/a(until=09:00,cursor=a1@08:50) q/a(until=09:00,cursor=a1@08:50) e/a(until=09:00,cursor=a1@08:50) l/a(until=09:00,cursor=a1@08:50) bob/a(until=09:00,cursor=a1@08:50)
		< 1 query me with=bob max=100 after=a1
		< 2 query me with=e max=100 after=a1
		< 3 query me with=l max=100 after=a1
		< 4 query me with=p max=100 after=a1
		> removed q/a
		> removed l/a
		< withdraw 3
		> end 1 complete
		< reached bob a a1@08:50 current
		> end 2 complete
		< reached e a a1@08:50 current
		> end 3 complete
		> added l/a(until=09:00,cursor=a1@08:50) q/a(until=09:00,cursor=a1@08:50)
		< 5 query me with=l max=100 after=a1
		< 6 query me with=q max=100 after=a1
		> end 5 complete
		< reached l a a1@08:50 current
		> live l/a a8@09:50
		< reached l a a8@09:50
		> end 6 complete
		< reached q a a1@08:50 current
		> live q/a a8@09:50
		< reached q a a8@09:50`},
	{"all nodes of an archive go before the account is given up", `
		> start all since=09:00 p/a(until=09:00,cursor=a1@08:50) q/a(until=09:00,cursor=a1@08:50) e/a(until=09:00,cursor=a1@08:50) l/a(until=09:00,cursor=a1@08:50) bob/a(until=09:00,cursor=a1@08:50)
		< 1 query me with=bob max=100 after=a1
		< 2 query me with=e max=100 after=a1
		< 3 query me with=l max=100 after=a1
		< 4 query me with=p max=100 after=a1
		> removed q/a
		> failed 1 remote-server-timeout
		> failed 2 remote-server-timeout
		> failed 3 remote-server-timeout
		> end 4 complete
		< reached p a a1@08:50 current
		< done 4/4 partial bob/a:error:09:00-10:00 e/a:error:09:00-10:00 l/a:error:09:00-10:00
		> added q/a(until=09:00,cursor=a1@08:50)
		< 5 query me with=q max=100 after=a1
		> end 5 complete
		< reached q a a1@08:50 current
		< done 5/5 partial bob/a:error:09:00-10:00 e/a:error:09:00-10:00 l/a:error:09:00-10:00
		> live q/a a8@09:50
		< reached q a a8@09:50`},
}
