package catchup

// Nodes that go or are asked later, and what a catch-up leaves to the next one.
var nodesTranscripts = []transcript{
	{"a node that was asked recently goes", `
		> start none since=09:00 p/h(until=09:00,asked=09:57) p/m(until=09:00,asked=09:58)
		< timer 10:02
		< done 2/2 unknown
		> removed p/h
		< timer 10:03
		> at 10:03
		> timer
		< 1 items p/m max=20 compare
		> items 1 o1 known=o1
		< asked p/m
		< reached p m current
		< done 1/1 unknown`},
	{"a node that has gone is not asked later, if the archive refuses", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50,asked=09:57) p/m(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> removed p/h
		> failed 1 service-unavailable
		< 2 items p/m max=20 compare
		> items 2 o1 known=o1
		< asked p/m
		< reached p m a1@08:50 current
		< done 1/1 unknown`},
	{"a node that was asked recently becomes current when all is read", `
		> start all since=09:00 p/h(asked=09:57,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		< timer 10:02
		> at 10:02
		> timer
		< 2 items p/h max=20
		> items 2 o1
		< found new items p+h/o1
		< asked p/h
		< reached p h a1@08:50
		> end 1 complete
		< reached p h a1@08:50 current
		< done 1/1 complete`},
	{"a node goes that was read, and the others fail", `
		> start none since=09:00 p/a(until=09:00) p/b(until=09:00)
		< 1 items p/a max=20 compare
		< 2 items p/b max=20 compare
		> items 1 o1 known=o1
		< asked p/a
		< reached p a current
		> removed p/a
		> failed 2 forbidden
		< asked p/b
		< done failed 1/1 partial p/b:forbidden:09:00-10:00`},
	{"a node goes that was left", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50) p/m(left)
		< 1 query me with=p max=100 after=a1
		> removed p/m
		> removed p/zz
		> end 1 complete
		< reached p h a1@08:50 current
		< done 1/1 complete`},
	{"a node that was left is not asked", `
		> start all p/m(left)
		< 1 query me with=p max=1 before`},
	{"without an archive it does not matter what was archived", `
		> start none since=09:00 p/h(until=09:00,archived)
		< 1 items p/h max=20 compare`},
	{"a service comes with its archive", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o1 known=o1
		< asked p/h
		< reached p h current
		< done 1/1 unknown
		> added archive:l l/b(until=09:00)
		< 2 query l/b start=08:00 max=100
		> failed 2 forbidden
		< 3 items l/b max=20 compare
		> failed 3 forbidden
		< asked l/b
		< done 2/2 partial l/b:forbidden:09:00-10:00
		> retry archive:q q/n(until=09:00)
		< 4 query q/n start=08:00 max=100`},
	{"a new catch-up does not go on with the last one", `
		> start all since=09:00 prefix=x p/a(until=09:00,unlisted) p/b(until=09:00,unlisted) p/c(until=09:00,unlisted) p/d(until=09:00,unlisted) q/a(until=09:00,unlisted) q/b(until=09:00,unlisted) e/n(until=09:00,asked=09:57,unlisted) l/n(until=09:00) y.test/n(until=09:00,unlisted) z.test/n(until=09:00,unlisted)
		< x1 query me with=l start=08:00 max=100
		< x2 items p/a max=20 compare
		< x3 items p/b max=20 compare
		< x4 items q/a max=20 compare
		< timer 10:02
		> failed x2 resource-constraint
		< x5 items q/b max=20 compare
		< timer 10:00:05
		> end x1 complete
		< x6 query me max=1
		> result x5 z0@08:30 mallory chat
		> end x5 last=z0
		< asked q/b
		< x7 items y.test/n max=20 compare
		> paused
		> start all since=10:00 prefix=y l/n(until=10:00)
		< y8 query me with=l start=09:00 max=100
		< timer off
		> end y8 complete
		< y9 query me max=1
		> end y9 complete
		< reached l n current
		< done 1/1 unknown`},
	{"a canceled catch-up leaves nothing", `
		> start all since=09:00 p/a(until=09:00,unlisted) p/b(until=09:00,unlisted) p/c(until=09:00,unlisted) q/a(until=09:00,unlisted) e/n(until=09:00,asked=09:57,unlisted) l/n(until=09:00) y.test/n(until=09:00,unlisted) z.test/n(until=09:00,unlisted)
		< 1 query me with=l start=08:00 max=100
		< 2 items p/a max=20 compare
		< 3 items p/b max=20 compare
		< 4 items q/a max=20 compare
		< timer 10:02
		> failed 2 resource-constraint
		< 5 items y.test/n max=20 compare
		< timer 10:00:05
		> end 1 complete
		< 6 query me max=1
		> cancel
		< withdraw 3
		< withdraw 4
		< withdraw 5
		< withdraw 6
		< timer off
		< done idle 1/8 unknown
		> added p/d(until=09:00,unlisted)
		< 7 items p/d max=20 compare
		> items 7 o1 known=o1
		< asked p/d
		< reached p d current
		< done idle 2/9 unknown
		> retry l/n(until=09:00)
		< 8 query me with=l start=08:00 max=100
		> end 8 complete
		< 9 query me max=1
		> end 9 complete
		< reached l n current
		< done 3/9 unknown`},
	{"canceled: archives that were read to their end go on, also after another was canceled", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50) q/n(until=09:00,cursor=c1@08:50) e/x(until=09:00,cursor=b1@08:50)
		< 1 query me with=e max=100 after=b1
		< 2 query me with=p max=100 after=a1
		< 3 query me with=q max=100 after=c1
		> end 2 complete
		< reached p h a1@08:50 current
		> failed 1 timeout
		< 4 query me with=e max=25 after=b1
		> failed 4 timeout
		> cancel
		< withdraw 3
		< done idle 2/3 partial e/x:error:09:00-10:00
		> live p/h a8@09:50
		< reached p h a8@09:50
		> live q/n c8@09:50
		> live e/x b8@09:50
		> retry q/n(until=09:00,cursor=c1@08:50) e/x(until=09:00,cursor=b1@08:50)
		< 5 query me with=e max=100 after=b1
		< 6 query me with=q max=100 after=c1
		> end 5 complete
		< reached e x b1@08:50 current
		> end 6 complete
		< reached q n c1@08:50 current
		< done 3/3 complete
		> live q/n c9@09:50
		< reached q n c9@09:50
		> live e/x b9@09:50
		< reached e x b9@09:50`},
	{"a live event before an error is not the place of a retry", `
		> start all since=09:00 p/a(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> live p/a a9@09:59
		> failed 1 timeout
		< 2 query me with=p max=25 after=a1
		> failed 2 timeout
		< done failed 1/1 partial p/a:error:09:00-10:00
		> retry p/a(until=09:00,cursor=a1@08:50)
		< 3 query me with=p max=100 after=a1
		> end 3 complete last=a2
		< reached p a a2@08:50 current
		< done 1/1 complete`},
	{"a part of a group is read again", `
		> start all since=09:00 p/a(until=09:00,cursor=a1@08:50) p/b(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> failed 1 timeout
		< 2 query me with=p max=25 after=a1
		> failed 2 timeout
		< done failed 2/2 partial p/:error:09:00-10:00
		> retry p/a(until=09:00,cursor=a1@08:50)
		< 3 query me with=p max=100 after=a1
		> end 3 complete
		< reached p a a1@08:50 current
		< done 2/2 partial p/:error:09:00-10:00
		> live p/a a9@09:59`},
	{"the gap of a node that has gone stays", `
		> start none since=09:00 p/a(until=09:00) q/b(until=09:00)
		< 1 items p/a max=20 compare
		< 2 items q/b max=20 compare
		> failed 1 forbidden
		< asked p/a
		> failed 2 forbidden
		< asked q/b
		< done failed 2/2 partial p/a:forbidden:09:00-10:00 q/b:forbidden:09:00-10:00
		> removed p/a
		> retry q/b(until=09:00)
		< 3 items q/b max=20 compare
		> items 3 o1 known=o1
		< asked q/b
		< reached q b current
		< done 1/1 partial p/a:forbidden:09:00-10:00`},
}
