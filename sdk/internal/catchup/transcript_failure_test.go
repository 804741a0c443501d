package catchup

// Errors of services, of which each decides by itself how to go on.
var failureTranscripts = []transcript{
	{"a service that asks to wait", `
		> start none since=09:00 p/h(until=09:00) q/n(until=09:00)
		< 1 items p/h max=20 compare
		< 2 items q/n max=20 compare
		> failed 1 internal-server-error/wait
		< timer 10:00:05
		> failed 2 protocol:internal-server-error/wait
		< asked q/n`},
	{"the condition of an error that is not one of the service does not count", `
		> start none since=09:00 a/n(until=09:00) b/n(until=09:00) c/n(until=09:00) d/new
		< 1 items a/n max=20 compare
		< 2 items b/n max=20 compare
		< 3 items c/n max=20 compare
		< 4 items d/new max=20
		> failed 1 protocol:item-not-found
		< asked a/n
		> failed 2 protocol:feature-not-implemented
		< asked b/n
		> failed 3 protocol:resource-constraint
		< asked c/n
		> failed 4 protocol:forbidden
		< asked d/new
		< done failed 4/4 partial a/n:error:09:00-10:00 b/n:error:09:00-10:00 c/n:error:09:00-10:00`},
	{"the session ends before a request is answered", `
		> start none since=09:00 p/h(until=09:00) q/n(until=09:00)
		< 1 items p/h max=20 compare
		< 2 items q/n max=20 compare
		> failed 1 outcome-unknown
		> resumed
		< 3 items p/h max=20 compare
		> failed 2 closed
		> failed 3 closed
		> resumed
		< 4 items p/h max=20 compare
		< 5 items q/n max=20 compare`},
	{"services without items are given up", `
		> start none since=09:00 p/a(until=09:00) p/b(until=09:00) p/c(until=09:00) p/d(until=09:00) p/e(until=09:00)
		< 1 items p/a max=20 compare
		< 2 items p/b max=20 compare
		> failed 1 service-unavailable
		< asked p/a
		< 3 items p/c max=20 compare
		> failed 2 service-unavailable
		< asked p/b
		< 4 items p/d max=20 compare
		> failed 3 service-unavailable
		< asked p/c
		< asked p/e`},
	{"a new node that does not exist", `
		> start none p/h
		< 1 items p/h max=20
		> failed 1 item-not-found
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"a service that is given up: the others are asked, and what is not wanted any more is not missing", `
		> start none since=09:00 p/a(until=09:00,activity=08:09) p/b(until=09:00,activity=08:08) p/c(until=09:00,activity=08:07) p/d(until=09:00,activity=08:06) p/e(until=09:00,activity=08:05) q/n(until=09:00) e/n(until=09:00) l/n(until=09:00) bob/n(until=09:00)
		< 1 items p/a max=20 compare
		< 2 items p/b max=20 compare
		< 3 items bob/n max=20 compare
		< 4 items e/n max=20 compare
		> removed p/e
		> failed 1 remote-server-not-found
		< asked p/a
		< 5 items p/c max=20 compare
		> failed 2 remote-server-not-found
		< asked p/b
		< 6 items p/d max=20 compare
		> failed 5 remote-server-not-found
		< asked p/c
		< 7 items l/n max=20 compare
		> items 3 known=x
		< asked bob/n
		< reached bob n current
		< 8 items q/n max=20 compare
		> items 4 known=x
		< asked e/n
		< reached e n current`},
	{"failures count since the last result; one that is not valid does not count as a result", `
		> start none since=09:00 p/a(until=09:00) p/b(until=09:00) p/c(until=09:00) p/d(until=09:00) p/e(until=09:00) p/f(until=09:00) p/g(until=09:00) p/h(until=09:00) p/i(until=09:00)
		< 1 items p/a max=20 compare
		< 2 items p/b max=20 compare
		> failed 1 remote-server-not-found
		< asked p/a
		< 3 items p/c max=20 compare
		> failed 2 remote-server-not-found
		< asked p/b
		< 4 items p/d max=20 compare
		> items 3 o1 known=o1
		< asked p/c
		< reached p c current
		< 5 items p/e max=20 compare
		> failed 4 remote-server-not-found
		< asked p/d
		< 6 items p/f max=20 compare
		> end 5 complete
		< asked p/e
		< 7 items p/g max=20 compare
		> failed 6 remote-server-not-found
		< asked p/f
		< 8 items p/h max=20 compare
		> failed 7 remote-server-not-found
		< asked p/g
		< asked p/i`},
}
