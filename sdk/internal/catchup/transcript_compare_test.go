package catchup

// What the items of a node tell, in comparison with what is known of it.
var compareTranscripts = []transcript{
	{"items: exactly as many as requested, and the service says that there are no more", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 1..20 count=20 known=x
		< found items p+h/o1..o20
		< asked p/h
		< reached p h current
		< done 1/1 partial p/h:deletions-unknown:09:00-10:00 p/h:node-keeps-fewer:09:00-10:00`},
	{"items: exactly as many as requested, and the service says that there are more", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 1..20 count=21 known=x
		< 2 items p/h max=100 compare`},
	{"items: a service that sends the same number, whatever was requested, and speaks of pages", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 1..20 count=30 first=x last=y known=x
		< 2 items p/h max=100 compare
		> items 2 1..20 count=30 first=x last=y known=x
		< found items p+h/o1..o20
		< asked p/h
		< reached p h current
		< done 1/1 partial p/h:deletions-unknown:09:00-10:00 p/h:node-keeps-fewer:09:00-10:00`},
	{"paging: the first page has all", `
		> start none since=09:00 paging:e e/h(until=09:00) e/m(until=09:00)
		< 1 items e/h max=20 before compare
		< 2 items e/m max=20 before compare
		> items 1 1..20 count=20 first=x last=y known=x
		< found items e+h/o1..o20
		< asked e/h
		< reached e h current
		> items 2 1..5 count=7 first=x last=y known=x
		< found items e+m/o1..o5
		< asked e/m
		< reached e m current
		< done 2/2 partial e/h:deletions-unknown:09:00-10:00 e/h:node-keeps-fewer:09:00-10:00 e/m:deletions-unknown:09:00-10:00 e/m:node-keeps-fewer:09:00-10:00`},
	{"paging: the second page has as many as the service counts", `
		> start none since=09:00 paging:e e/h(until=09:00)
		< 1 items e/h max=20 before compare
		> items 1 131..150 count=500 first=x last=y known=x
		< 2 items e/h max=80 before=x compare
		> items 2 51..130 count=80 first=w last=v known=x
		< 3 items e/h max=400 before=w compare`},
	{"paging: the second page is empty", `
		> start none since=09:00 paging:e e/h(until=09:00)
		< 1 items e/h max=20 before compare
		> items 1 131..150 count=500 first=x last=y known=x
		< 2 items e/h max=80 before=x compare
		> items 2 count=500 known=x
		< found items e+h/o131..o150
		< asked e/h
		< reached e h current
		< done 1/1 partial e/h:deletions-unknown:09:00-10:00 e/h:node-keeps-fewer:09:00-10:00`},
	{"paging: a service that ignores it, and sends as many as were requested", `
		> start none since=09:00 paging:p p/h(until=09:00)
		< 1 items p/h max=20 before compare
		> items 1 1..20 known=x
		< 2 items p/h max=100 compare`},
	{"paging: a page that is longer than requested is all", `
		> start none since=09:00 paging:p p/h(until=09:00)
		< 1 items p/h max=20 before compare
		> items 1 1..40 first=o1 last=o40 known=x
		< found items p+h/o1..o40
		< asked p/h
		< reached p h current
		< done 1/1 partial p/h:deletions-unknown:09:00-10:00 p/h:node-keeps-fewer:09:00-10:00`},
	{"paging: a new node is asked for its newest items at once", `
		> start none paging:e e/h
		< 1 items e/h max=20
		> items 1 1..3
		< found new items e+h/o1..o3
		< asked e/h
		< reached e h current
		< done 1/1 unknown`},
	{"items: one that is not valid is left out", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o1 !! o2 known=o1
		< found items p+h/o2
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"items: of what came live since only the rest counts", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 1..20 known=o10,!o19,!o20
		< found items p+h/o1..o9 p+h/o11..o18
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"items: only what came live since is known", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 1..20 known=!o20
		< 2 items p/h max=100 compare`},
	{"items: one with another payload is not a kept one", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 2..20 o1=2 known=o1,o2
		< 2 items p/h max=100 compare`},
	{"items: an old one with another payload was published again", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o1=2 o2 o3 o4 known=o1,o2,o3
		< found items p+h/o1=2 p+h/o4
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"items: one that follows the first known one", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o1 o9 o2 o3 known=o1,o2,o3
		< found items p+h/o9
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"items: too few are kept to say that one was retracted", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o1 o9 known=o1,o2,o3
		< found items p+h/o9
		< asked p/h
		< reached p h current
		< done 1/1 partial p/h:deletions-unknown:09:00-10:00`},
	{"items: not all were read, so that it is not known that one was retracted", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o1 o3 11..28 known=o1,o2,o3
		< found items p+h/o11..o28
		< asked p/h
		< reached p h current
		< done 1/1 partial p/h:deletions-unknown:09:00-10:00`},
	{"order: as many rise as fall", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o9 o3 o2 o4 known=1..4
		< found items p+h/o9
		< asked p/h
		< reached p h current
		< done 1/1 partial p/h:deletions-unknown:09:00-10:00`},
	{"order: one that was found late says nothing", `
		> start none since=09:00 p/h(until=09:00) p/m(until=09:00)
		< 1 items p/h max=20 compare
		< 2 items p/m max=20 compare
		> items 1 o9 o1 o2 o3 known=o1,~o2,o3
		< asked p/h
		< reached p h current
		> items 2 o9 o3 o1 o2 known=o1,o2,~o3
		< asked p/m
		< reached p m current
		< done 2/2 unknown`},
	{"order: one that was published twice says nothing", `
		> start none since=09:00 p/h(until=09:00) p/m(until=09:00)
		< 1 items p/h max=20 compare
		< 2 items p/m max=20 compare
		> items 1 o9 o1 o2 o3 known=o1,o2,o1,o3
		< asked p/h
		< reached p h current
		> items 2 o9 o2 o1 o3 known=o1,o2,o1,o3
		< found items p+m/o9
		< asked p/m
		< reached p m current
		< done 2/2 unknown`},
	{"items: live ones do not say that one which was found late was retracted", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o1 o3 known=o1,~o2,o3
		< asked p/h
		< reached p h current
		< done 1/1 partial p/h:deletions-unknown:09:00-10:00`},
	{"items: nor does one that was found twice", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o1 o3 known=~o1=0,~o2,~o3,~o1
		< asked p/h
		< reached p h current
		< done 1/1 partial p/h:deletions-unknown:09:00-10:00`},
	{"items: the newest first, and one between two others was retracted", `
		> start none since=09:00 p/h(until=09:00)
		< 1 items p/h max=20 compare
		> items 1 o4 o3 o1 known=~o1,~o2,~o3
		< found items p+h/o4 p-h/o2
		< asked p/h
		< reached p h current
		< done 1/1 unknown`},
	{"paging: what came live between two pages is not missing", `
		> start none since=09:00 paging:e e/h(until=09:00)
		< 1 items e/h max=20 before compare
		> at 10:01
		> items 1 21..40 count=40 first=x last=y known=o1,o2
		< 2 items e/h max=80 before=x compare
		> at 10:02
		> items 2 1..20 count=40 first=w last=v known=o1,o2,o3@10:00:30,o99@10:00:30
		< found items e+h/o4..o40
		< asked e/h
		< reached e h current
		< done 1/1 unknown`},
	{"paging: refused for the second page, and all is read again", `
		> start none since=09:00 paging:e e/h(until=09:00)
		< 1 items e/h max=20 before compare
		> at 10:01
		> items 1 21..40 count=40 first=x last=y known=o1,o2
		< 2 items e/h max=80 before=x compare
		> failed 2 feature-not-implemented
		< 3 items e/h max=100 compare
		> at 10:02
		> items 3 1..40 known=o1,o2,o99@10:00:30
		< found items e+h/o3..o40 e-h/o99
		< asked e/h
		< reached e h current
		< done 1/1 unknown`},
	{"paging: the node is gone, or forbidden", `
		> start none since=09:00 paging:e e/h(until=09:00) e/m(until=09:00)
		< 1 items e/h max=20 before compare
		< 2 items e/m max=20 before compare
		> failed 1 item-not-found
		< found items e~h
		< asked e/h
		< reached e h current
		> failed 2 forbidden
		< asked e/m
		< done 2/2 partial e/h:node-keeps-fewer:09:00-10:00 e/m:forbidden:09:00-10:00`},
}
