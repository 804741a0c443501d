package catchup

// The order of requests, failures, sessions, and nodes that come and go.
var flowTranscripts = []transcript{
	{"a first session fetches the newest items; nothing counts as missed", `
		> start none p/h(activity=09:00) p/m
		< 1 items p/h max=20
		< 2 items p/m max=20
		> items 1 o1 o2
		< found new items p+h/o1 p+h/o2
		< asked p/h
		< reached p h current
		> items 2
		< asked p/m
		< reached p m current
		< done 2/2 unknown`},
	{"no more than four requests at once, and two to one service; the nodes with the newest events first", `
		> start none since=09:00 p/a(until=09:00,activity=08:01) p/b(until=09:00,activity=08:02) p/c(until=09:00,activity=08:09) q/a(until=09:00,activity=08:05) bob/x(until=09:00,activity=08:04) l/a(until=09:00,activity=08:03)
		< 1 items p/c max=20 compare
		< 2 items q/a max=20 compare
		< 3 items bob/x max=20 compare
		< 4 items l/a max=20 compare
		> items 3 known=x
		< asked bob/x
		< reached bob x current
		< 5 items p/b max=20 compare
		> items 2 known=x
		< asked q/a
		< reached q a current
		> items 1 known=x
		< asked p/c
		< reached p c current
		< 6 items p/a max=20 compare`},
	{"a node that was asked less than 5 minutes ago is asked later", `
		> start none since=09:00 p/h(until=09:00,asked=09:57) p/m(until=09:00,asked=09:54)
		< 1 items p/m max=20 compare
		< timer 10:02
		> items 1 m1 known=m1
		< asked p/m
		< reached p m current
		< done 2/2 unknown
		> at 10:02
		> timer
		< 2 items p/h max=20 compare
		> items 2 h1 known=h1
		< asked p/h
		< reached p h current
		< done 2/2 unknown`},
	{"a new node that was asked recently does not become current by the archive", `
		> start all p/h(asked=09:57)
		< 1 query me with=p max=1 before
		< timer 10:02
		> end 1 complete
		< reached p h
		< done 1/1 unknown
		> at 10:02
		> timer
		< 2 items p/h max=20
		> items 2 h1
		< found new items p+h/h1
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"a new node that was asked recently: the archive is complete, also after the items", `
		> start all since=09:00 p/h(asked=09:57,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		< timer 10:02
		> end 1 complete
		< reached p h a1@08:50
		< done 1/1 complete
		> at 10:02
		> timer
		< 2 items p/h max=20
		> items 2 h1
		< found new items p+h/h1
		< asked p/h
		< reached p h a1@08:50 current
		< done 1/1 complete`},
	{"a node that was asked in the future, because the clock was set back, is asked at once", `
		> start none since=09:00 p/h(until=09:00,asked=10:01)
		< 1 items p/h max=20 compare`},
	{"a service that does not answer is asked twice, one that does not answer at all is given up", `
		> start none since=09:00 p/a(until=09:00) p/b(until=09:00) p/c(until=09:00) p/d(until=09:00) q/n(until=09:00)
		< 1 items p/a max=20 compare
		< 2 items p/b max=20 compare
		< 3 items q/n max=20 compare
		> failed 1 timeout
		< 4 items p/a max=20 compare
		> failed 2 timeout
		< 5 items p/b max=20 compare
		> failed 4 timeout
		< asked p/a
		< asked p/c
		< asked p/d
		> items 3 n1 known=n1
		< asked q/n
		< reached q n current
		> failed 5 timeout
		< asked p/b
		< done 5/5 partial p/a:error:09:00-10:00 p/b:error:09:00-10:00 p/c:error:09:00-10:00 p/d:error:09:00-10:00`},
	{"an unreachable service", `
		> start none since=09:00 p/a(until=09:00) p/b(until=09:00) p/c(until=09:00) p/d(until=09:00) p/e(until=09:00)
		< 1 items p/a max=20 compare
		< 2 items p/b max=20 compare
		> failed 1 remote-server-not-found
		< asked p/a
		< 3 items p/c max=20 compare
		> failed 2 remote-server-not-found
		< asked p/b
		< 4 items p/d max=20 compare
		> failed 3 remote-server-not-found
		< asked p/c
		< asked p/e`},
	{"a service that wants to be asked more slowly", `
		> start none since=09:00 p/a(until=09:00) p/b(until=09:00) p/c(until=09:00) q/n(until=09:00)
		< 1 items p/a max=20 compare
		< 2 items p/b max=20 compare
		< 3 items q/n max=20 compare
		> failed 1 resource-constraint/wait
		< timer 10:00:05
		> items 2 b1 known=b1
		< asked p/b
		< reached p b current
		> at 10:00:05
		> timer
		< 4 items p/a max=20 compare
		> failed 4 policy-violation
		< timer 10:00:10
		> at 10:00:15
		> timer
		< 5 items p/a max=20 compare
		> items 5 a1 known=a1
		< asked p/a
		< reached p a current
		< 6 items p/c max=20 compare
		> items 6 c1 known=c1
		< asked p/c
		< reached p c current`},
	{"a service that always wants to be asked more slowly", `
		> start none since=09:00 p/a(until=09:00)
		< 1 items p/a max=20 compare
		> failed 1 resource-constraint/wait
		< timer 10:00:05
		> at 10:01
		> timer
		< 2 items p/a max=20 compare
		> failed 2 resource-constraint/wait
		< timer 10:01:10
		> at 10:02
		> timer
		< 3 items p/a max=20 compare
		> failed 3 resource-constraint/wait
		< timer 10:02:20
		> at 10:03
		> timer
		< 4 items p/a max=20 compare
		> failed 4 resource-constraint/wait
		< timer 10:03:40
		> at 10:04
		> timer
		< 5 items p/a max=20 compare
		> failed 5 resource-constraint/wait
		< timer 10:05:20
		> at 10:06
		> timer
		< 6 items p/a max=20 compare
		> failed 6 resource-constraint/wait
		< asked p/a
		< done failed 1/1 partial p/a:error:09:00-10:00`},
	{"errors of nodes", `
		> start none since=09:00 p/a(until=09:00) q/b(until=09:00) bob/c(until=09:00) l/d(until=09:00)
		< 1 items bob/c max=20 compare
		< 2 items l/d max=20 compare
		< 3 items p/a max=20 compare
		< 4 items q/b max=20 compare
		> failed 1 forbidden/auth
		< asked bob/c
		> failed 2 feature-not-implemented
		< asked l/d
		> failed 3 internal-server-error
		< asked p/a
		> failed 4 not-authorized/auth
		< asked q/b
		< done failed 4/4 partial bob/c:forbidden:09:00-10:00 l/d:not-archived:09:00-10:00 p/a:error:09:00-10:00 q/b:forbidden:09:00-10:00`},
	{"an answer that is none", `
		> start none since=09:00 p/a(until=09:00)
		< 1 items p/a max=20 compare
		> end 1 complete
		< asked p/a
		< done failed 1/1 partial p/a:error:09:00-10:00`},
	{"live events move the cursor only once the archive was read to its end", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50) p/m(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> live p/h a9@10:00
		> result 1 a2@09:10 p +h/o2
		> end 1 last=a2
		< found account-archive p+h/o2@09:10#a2
		< reached p h,m a2@09:10
		< 2 query me with=p max=100 after=a2
		> live p/m a10@10:00
		> end 2 complete
		< reached p h,m a10@10:00 current
		< done 2/2 complete
		> live p/h a11@10:00
		< reached p h,m a11@10:00
		> live p/h @10:00
		> live q/h a12@10:00
		> removed p/m
		> live p/h a13@10:00
		< reached p h a13@10:00`},
	{"a live event that the archive was read beyond", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> live p/h a2@10:00
		> result 1 a2@10:00 p +h/o2
		> result 1 a3@10:00 p +h/o3
		> end 1 complete last=a3
		< found account-archive p+h/o2@10:00#a2 p+h/o3@10:00#a3
		< reached p h a3@10:00 current
		< done 1/1 complete`},
	{"live events do not move the cursor after a failure", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> live p/h a9@10:00
		> failed 1 timeout
		< 2 query me with=p max=25 after=a1
		> failed 2 timeout
		< done failed 1/1 partial p/h:error:09:00-10:00
		> live p/h a10@10:00`},
	{"the connection is lost and the session resumed", `
		> start none since=09:00 p/a(until=09:00) p/b(until=09:00) p/c(until=09:00)
		< 1 items p/a max=20 compare
		< 2 items p/b max=20 compare
		> paused
		> items 1 a1 known=a1
		< asked p/a
		< reached p a current
		> resumed
		< 3 items p/c max=20 compare
		> items 2 b1 known=b1
		< asked p/b
		< reached p b current
		> items 3 c1 known=c1
		< asked p/c
		< reached p c current
		< done 3/3 unknown`},
	{"the connection is lost before a request is sent", `
		> start none since=09:00 p/a(until=09:00)
		< 1 items p/a max=20 compare
		> failed 1 offline
		> resumed
		< 2 items p/a max=20 compare`},
	{"a new session begins where the last one got to; late answers are ignored", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50) q/n(until=09:00,cursor=c1@08:50)
		< 1 query me with=p max=100 after=a1
		< 2 query me with=q max=100 after=c1
		> end 2 complete
		< reached q n c1@08:50 current
		> end 1 last=a2
		< reached p h a2@08:50
		< 3 query me with=p max=100 after=a2
		> start all since=09:00 p/h(until=09:00,cursor=a2@09:10) q/n(until=10:00,cursor=c1@08:50)
		< 4 query me with=p max=100 after=a2
		< 5 query me with=q max=100 after=c1
		> end 3 complete
		> end 5 complete
		< reached q n c1@08:50 current
		> end 4 complete
		< reached p h a2@09:10 current
		< done 2/2 complete`},
	{"a new run continues a session", `
		> start none since=09:00 p/h(current) p/m(until=09:00)
		< 1 items p/m max=20 compare
		> items 1 m1 known=m1
		< asked p/m
		< reached p m current
		< done 2/2 unknown`},
	{"cancelled", `
		> start none since=09:00 p/a(until=09:00) p/b(until=09:00) p/c(until=09:00)
		< 1 items p/a max=20 compare
		< 2 items p/b max=20 compare
		> items 1 a1 known=a1
		< asked p/a
		< reached p a current
		< 3 items p/c max=20 compare
		> cancel
		< withdraw 2
		< withdraw 3
		< done idle 1/3 unknown
		> items 2 b1 known=b1
		> cancel`},
	{"cancelled, and continued", `
		> start none since=09:00 p/a(until=09:00) p/b(until=09:00)
		< 1 items p/a max=20 compare
		< 2 items p/b max=20 compare
		> items 1 a1 known=a1
		< asked p/a
		< reached p a current
		> cancel
		< withdraw 2
		< done idle 1/2 unknown
		> retry p/b(until=09:00)
		< 3 items p/b max=20 compare
		> items 3 b1 known=b1
		< asked p/b
		< reached p b current
		< done 2/2 unknown`},
	{"nodes are read again after an error: their gaps are forgotten, and live events move the cursor again", `
		> start all since=09:00 p/a(until=09:00,cursor=a1@08:50) q/b(until=09:00,cursor=b1@08:00) q/c(until=09:00,cursor=b1@08:00)
		< 1 query me with=p max=100 after=a1
		< 2 query me with=q max=100 after=b1
		> failed 1 timeout
		< 3 query me with=p max=25 after=a1
		> failed 2 timeout
		< 4 query me with=q max=25 after=b1
		> failed 3 timeout
		> failed 4 timeout
		< done failed 3/3 partial p/a:error:09:00-10:00 q/:error:09:00-10:00
		> live p/a a9@09:59
		> retry p/a(until=09:00,cursor=a1@08:50)
		< 5 query me with=p max=100 after=a1
		> result 5 a2@09:10 p +a/o2
		> end 5 last=a2 complete
		< found account-archive p+a/o2@09:10#a2
		< reached p a a2@09:10 current
		< done 3/3 partial q/:error:09:00-10:00
		> live p/a a10@10:00
		< reached p a a10@10:00
		> retry q/b(until=09:00,cursor=b1@08:00) q/c(until=09:00,cursor=b1@08:00)
		< 6 query me with=q max=100 after=b1
		> end 6 complete
		< reached q b,c b1@08:00 current
		< done 3/3 complete`},
	{"nodes come and go", `
		> start none since=09:00 p/a(until=09:00) p/b(until=09:00) p/c(until=09:00)
		< 1 items p/a max=20 compare
		< 2 items p/b max=20 compare
		> removed p/a
		< withdraw 1
		< 3 items p/c max=20 compare
		> removed p/c
		< withdraw 3
		> items 2 b1 known=b1
		< asked p/b
		< reached p b current
		< done 1/1 unknown
		> added p/d p/b
		< 4 items p/d max=20
		> items 3 known=a1
		> removed p/d
		< withdraw 4
		< done 1/1 unknown`},
	{"a node comes while the archive is read", `
		> start all since=09:00 p/h(until=09:00,cursor=a1@08:50)
		< 1 query me with=p max=100 after=a1
		> live p/h a5@10:00
		> added p/m
		< 2 query me with=p max=1 before
		< 3 items p/m max=20
		> removed p/h
		< withdraw 1`},
	{"a new node whose service does not answer stays new", `
		> start none p/h
		< 1 items p/h max=20
		> failed 1 timeout
		< 2 items p/h max=20
		> failed 2 timeout
		< asked p/h
		< done failed 1/1 unknown`},
	{"gaps of a catch-up that was not done", `
		> start none since=09:00 p/a(until=09:00) p/b(until=09:00)
		< 1 items p/a max=20 compare
		< 2 items p/b max=20 compare
		> failed 1 forbidden
		< asked p/a`},
}
