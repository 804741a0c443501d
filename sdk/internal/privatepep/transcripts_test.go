package privatepep

// transcripts hold inputs (>) and the outputs that must follow (<). Requests and answers
// are shortened; see script.read and script.write. # stands for the inputs of preambles.
var transcripts = []struct{ name, text string }{
	{"rule 1: the nodes that exist are read, at most four at once", `
		> session
		< nodes
		> nodes 1 2 3 4 5 6
		< items 1
		< items 2
		< items 3
		< items 4
		> items
		< items 5
		> items
		< items 6
		> items a=1
		< changed 3 a=1
		> items
		> items
		> items
		< ready`},
	{"rule 1: an error is not an empty list", `
		> session
		< nodes
		> error cancel service-unavailable
		< items 0
		< items 1
		< items 2
		< items 3`},
	{"rule 1: a node that is not listed any more", `
		> session
		< nodes
		> nodes 3 40
		< items 3
		< items 40
		> items a=1 b=2
		< changed 3 a=1 b=2
		> items z=3
		< changed 40 z=3
		< ready
		> session
		< nodes
		> nodes 40
		< changed 3 -a(missing) -b(missing)
		< items 40
		> items z=4
		< changed 40 z=4
		< ready`},
	{"rule 1: answers of an earlier session are void", `
		> session
		< nodes
		> session
		< nodes
		> stale nodes 3
		> nodes 3
		< items 3
		> items a=1
		< changed 3 a=1
		< ready
		> again
		> again`},
	{"rule 1: a lost connection", `
		> session
		< nodes
		> lost
		> nodes 3
		> put a=1
		> resumed
		< items 3
		> items a=1
		< changed 3 a=1
		< stored a=1
		< ready`},
	{"rule 1: a node is ready although it does not answer", `
		> session
		< nodes
		> nodes 3 40
		< items 3
		< items 40
		> silence
		< timer 5s
		> items z=1
		< changed 40 z=1
		< ready 3
		> wait 5s
		< items 3
		> silence
		< timer 20s
		> wait 20s
		< items 3
		> items a=1
		< changed 3 a=1`},
	{"rule 2: a node is created and checked before it is used", `
		> session
		< nodes
		> nodes
		< ready
		> put a=1
		< create 3 max
		> ok
		< check 3
		> form private
		< publish 3 a=1
		> ok
		< stored a=1
		> put b=1
		< publish 3 b=1
		> ok
		< stored b=1`},
	{"rule 2: another device has created it", `
		> session
		< nodes
		> nodes
		< ready
		> put a=1
		< create 3 max
		> error cancel conflict
		< items 3
		> items b=5
		< changed 3 b=5
		< check 3
		> form access_model=whitelist persist_items=true max_items=max publish_model=publishers
		< publish 3 a=1
		> ok
		< stored a=1`},
	{"rule 2: a wrong configuration is submitted and read again", `
		# ready
		> put c=3
		< check 3
		> form access_model=open persist_items=1 max_items=256
		< configure 3 max
		> ok
		< check 3
		> form private
		< publish 3 c=3
		> ok
		< stored c=3`},
	{"rule 2: items are not kept", `
		# ready
		> put c=3
		< check 3
		> form access_model=whitelist persist_items=0 max_items=256
		< configure 3 max
		> ok
		< check 3
		> form access_model=whitelist persist_items=0 max_items=256
		< unsupported not private
		> put a=9`},
	{"rule 2: others may publish", `
		# ready
		> put c=3
		< check 3
		> form access_model=whitelist persist_items=1 max_items=256 publish_model=open
		< configure 3 max
		> ok
		< check 3
		> form access_model=whitelist persist_items=1 max_items=256 publish_model=publishers
		< publish 3 c=3
		> ok
		< stored c=3`},
	{"rule 2: it stays open", `
		# ready
		> put c=3
		< check 3
		> form access_model=open persist_items=1 max_items=256
		< configure 3 max
		> error modify not-acceptable
		< configure 3 1000
		> error modify not-acceptable
		< configure 3 256
		> error modify not-acceptable
		< configure 3
		> error modify not-acceptable
		< configure 3
		> error modify not-acceptable
		< configure 3
		> error modify not-acceptable
		< check 3
		> form access_model=open persist_items=1 max_items=256
		< unsupported not private
		> notify a=7
		> session
		< nodes`},
	{"rule 2: a form without an access model", `
		# ready
		> put c=3
		< check 3
		> form max_items=256
		< configure 3 max
		> ok
		< check 3
		> form max_items=256
		< unsupported not private`},
	{"rule 2: no form", `
		# ready
		> put c=3
		< check 3
		> ok
		< unsupported unreadable`},
	{"rule 2: the configuration cannot be read", `
		# ready
		> put c=3
		< check 3
		> error auth forbidden
		< unsupported unreadable`},
	{"rule 2: the guard finds a node that was deleted and created again", `
		# private
		> put a=9
		< publish 3 a=9
		> error cancel conflict precondition-not-met
		< items 3
		> items
		< changed 3 -c(missing) -a(missing) -b(missing)
		< dropped a superseded
		> put a=9
		< check 3
		> form access_model=presence persist_items=1 max_items=1
		< configure 3 max
		> ok
		< check 3
		> form private
		< publish 3 a=9
		> ok
		< stored a=9`},
	{"rule 2: a deletion is notified", `
		# private
		> deleted
		< items 3
		> error cancel item-not-found
		< changed 3 -c(missing) -a(missing) -b(missing)
		> put a=9
		< create 3 max
		> ok
		< check 3
		> form private
		< publish 3 a=9
		> ok
		< stored a=9`},
	{"rule 2: the configuration changes while it is read", `
		# ready
		> put c=3
		< check 3
		> configured
		> form private
		< check 3
		> form private
		< publish 3 c=3
		> ok
		< stored c=3`},
	{"rule 2: a check is relied on for ten minutes", `
		# private
		> wait 9m
		> put a=9
		< publish 3 a=9
		> ok
		< stored a=9
		> wait 2m
		> put a=10
		< check 3
		> form private
		< publish 3 a=10
		> ok
		< stored a=10`},
	{"rule 2: a node that keeps one item is made larger", `
		# ready
		> put c=3
		< check 3
		> form access_model=whitelist persist_items=1 max_items=1
		< configure 3 max
		> ok
		< check 3
		> form private
		< publish 3 c=3
		> ok
		< stored c=3`},
	{"rule 2: max_items is not shown", `
		# ready
		> put c=3
		< check 3
		> form access_model=whitelist persist_items=1
		< configure 3 max
		> ok
		< check 3
		> form access_model=whitelist persist_items=1
		< publish 3 c=3
		> ok
		< stored c=3`},
	{"rule 2: a transient error is not a refusal of the field", `
		> session
		< nodes
		> nodes
		< ready
		> put a=1
		< create 3 max
		> error wait internal-server-error
		< create 3 1000
		> ok
		< check 3
		> form private
		< publish 3 a=1
		> ok
		< stored a=1
		> put z=1
		< create 40 max`},
	{"rule 2: no configuration is accepted for now", `
		> session
		< nodes
		> nodes
		< ready
		> put a=1
		< create 3 max
		> error wait internal-server-error
		< create 3 1000
		> error wait internal-server-error
		< create 3 256
		> error wait internal-server-error
		< create 3
		> error wait internal-server-error
		< create 3
		> error wait internal-server-error
		< create 3
		> error wait internal-server-error
		< timer 5s
		> wait 5s
		< create 3 max`},
	{"puts are carried out in order, and a later one in place of the first", `
		# ready
		> put b=3
		< check 3
		> put c=4
		> put b=5
		> form private
		< publish 3 b=5
		> ok
		< stored b=5
		< publish 3 c=4`},
	{"rule 3: a change of the same key drops a put", `
		# ready
		> put a=5
		< check 3
		> put b=6
		> notify a=7
		< changed 3 a=7
		< dropped a superseded
		> form private
		< publish 3 b=6
		> ok
		< stored b=6`},
	{"rule 3: a put that is based on older items", `
		# ready
		> notify a=7
		< changed 3 a=7
		> oldput b=5
		< dropped b superseded
		> put b=5
		< check 3`},
	{"rule 3: the node has the content already", `
		# ready
		> put a=1
		< stored a=1
		> put b=3
		< check 3
		> notify b=3
		< changed 3 b=3
		< stored b=3
		> remove c
		> form private
		< stored -c`},
	{"an own publication is notified before its answer", `
		> session
		< nodes
		> nodes 3
		< items 3
		> items a=1 b=2
		< changed 3 a=1 b=2
		< ready
		> put c=3
		< check 3
		> form private
		< publish 3 c=3
		> notify c=3
		< stored c=3
		> ok`},
	{"an own publication is notified twice", `
		# ready
		> put c=3
		< check 3
		> form private
		< publish 3 c=3
		> notify c=3
		< stored c=3
		> notify c=3
		> ok`},
	{"another publication before the own one", `
		# ready
		> put c=3
		< check 3
		> form private
		< publish 3 c=3
		> notify c=7
		< changed 3 c=7
		< dropped c superseded
		> notify c=3
		< changed 3 c=3
		> ok`},
	{"another publication after the own one", `
		# ready
		> put c=3
		< check 3
		> form private
		< publish 3 c=3
		> notify c=3
		< stored c=3
		> notify c=7
		< changed 3 c=7
		> ok`},
	{"another publication, and the own one is not notified", `
		# ready
		> put c=3
		< check 3
		> form private
		< publish 3 c=3
		> notify c=7
		< changed 3 c=7
		< dropped c superseded
		> ok
		< items 3
		> items a=1 b=2 c=3
		< changed 3 c=3`},
	{"a later put while one is pending", `
		# ready
		> put c=3
		< check 3
		> form private
		< publish 3 c=3
		> put c=4
		> ok
		< stored c=3
		< publish 3 c=4
		> ok
		< stored c=4`},
	{"a publication without an answer", `
		# ready
		> put c=3
		< check 3
		> form private
		< publish 3 c=3
		> silence
		< timer 5s
		> wait 5s
		< items 3
		> items a=1 b=2 c=3
		< changed 3 c=3
		< stored c=3`},
	{"a removal", `
		# ready
		> remove a
		< retract 3 a
		> ok
		< stored -a
		> remove b 9
		< check 3
		> form private
		< publish 3 b=9
		> notify b=9
		< stored b=9
		> ok
		< retract 3 b
		> retracted b
		< stored -b
		> ok`},
	{"a removal of what does not exist any more", `
		# ready
		> remove a
		< retract 3 a
		> error cancel item-not-found
		< stored -a
		< items 3
		> error cancel item-not-found
		< changed 3 -b(missing)
		> put b=3
		< create 3 max`},
	{"a removal that is refused", `
		# ready
		> remove a
		< retract 3 a
		> error auth forbidden
		< dropped a refused`},
	{"rule 4: the least useful item is retracted", `
		> session 4
		< nodes
		> nodes 3
		< items 3
		> items a=1 b=2
		< changed 3 a=1 b=2
		< ready
		> put c=3
		< check 3
		> form access_model=whitelist persist_items=1 max_items=max
		< publish 3 c=3
		> ok
		< stored c=3
		> put d=4
		< retract 3 a
		> ok
		< changed 3 -a(evicted)
		< publish 3 d=4
		> ok
		< stored d=4
		> put e=2
		< dropped e full`},
	{"rule 4: an item that others cannot read goes first", `
		> session 4
		< nodes
		> nodes 3
		< items 3
		> items a=1 z=9
		< warning 3 left out
		< changed 3 a=1
		< ready
		> put c=3
		< check 3
		> form access_model=whitelist persist_items=1 max_items=max
		< publish 3 c=3
		> put d=0
		> ok
		< stored c=3
		< retract 3 z
		> ok
		< publish 3 d=0
		> ok
		< stored d=0`},
	{"rule 4: a node that has too many items gets smaller", `
		> session 4
		< nodes
		> nodes 3
		< items 3
		> items a=1 b=2 c=3 d=4 f=6
		< changed 3 a=1 b=2 c=3 d=4 f=6
		< ready
		> put e=5
		< check 3
		> form access_model=whitelist persist_items=1 max_items=max
		< retract 3 a
		> ok
		< changed 3 -a(evicted)
		< retract 3 b
		> ok
		< changed 3 -b(evicted)
		< publish 3 e=5
		> ok
		< stored e=5`},
	{"rule 4: that the server did not send items is reported once in each session", `
		> session 4
		< nodes
		> nodes 3
		< items 3
		> items a=1 b=2 count=3
		< warning 3 left out
		< changed 3 a=1 b=2
		< ready
		> purged
		< items 3
		> items a=1 b=2 count=3
		> session 4
		< nodes
		> nodes 3
		< items 3
		> items a=1 b=2 count=3
		< warning 3 left out
		< ready`},
	{"rule 4: items that the server did not send take room, also after a removal", `
		> session 4
		< nodes
		> nodes 3
		< items 3
		> items a=1 b=2 count=3
		< warning 3 left out
		< changed 3 a=1 b=2
		< ready
		> retracted a
		< changed 3 -a
		> put c=3
		< check 3
		> form access_model=whitelist persist_items=1 max_items=max
		< publish 3 c=3
		> ok
		< stored c=3
		> put d=4
		< retract 3 b`},
	{"rule 4: the server says that the node is full", `
		# ready
		> put c=3
		< check 3
		> form private
		< publish 3 c=3
		> error cancel conflict node-full
		< retract 3 a
		> ok
		< changed 3 -a(evicted)
		< publish 3 c=3
		> error cancel conflict node-full
		< retract 3 b
		> ok
		< changed 3 -b(evicted)
		< publish 3 c=3
		> error cancel conflict node-full
		< dropped c full`},
	{"rule 5: a server that does not answer", `
		# ready
		> put c=3
		< check 3
		> silence
		< timer 5s
		> wait 5s
		< items 3
		> items a=1 b=2
		< check 3
		> silence
		< timer 20s
		> wait 20s
		< items 3
		> items a=1 b=2
		< check 3
		> silence
		< timer 1m20s
		> wait 80s
		< items 3
		> items a=1 b=2
		< check 3
		> silence
		< timer 5m20s
		> wait 320s
		< items 3
		> items a=1 b=2
		< check 3
		> silence
		< warning 3 no answer
		> wait 1h
		> session
		< nodes
		> nodes 3
		< items 3
		> items a=1 b=2
		< check 3
		< ready`},
	{"rule 5: the guard refuses for ever", `
		# ready
		> put c=3
		< check 3
		> form private
		< publish 3 c=3
		> error cancel conflict precondition-not-met
		< items 3
		> items a=1 b=2
		< check 3
		> form private
		< publish 3 c=3
		> error cancel conflict precondition-not-met
		< items 3
		> items a=1 b=2
		< check 3
		> form private
		< publish 3 c=3
		> error cancel conflict precondition-not-met
		< items 3
		> items a=1 b=2
		< check 3
		> form private
		< publish 3 c=3
		> error cancel conflict precondition-not-met
		< items 3
		> items a=1 b=2
		< check 3
		> form private
		< publish 3 c=3
		> error cancel conflict precondition-not-met
		< items 3
		> items a=1 b=2
		< unsupported precondition failed`},
	{"rule 5: a publication ends the failed preconditions", `
		# ready
		> put c=3
		< check 3
		> form private
		< publish 3 c=3
		> error cancel conflict precondition-not-met
		< items 3
		> items a=1 b=2
		< check 3
		> form private
		< publish 3 c=3
		> error cancel conflict precondition-not-met
		< items 3
		> items a=1 b=2
		< check 3
		> form private
		< publish 3 c=3
		> error cancel conflict precondition-not-met
		< items 3
		> items a=1 b=2
		< check 3
		> form private
		< publish 3 c=3
		> error cancel conflict precondition-not-met
		< items 3
		> items a=1 b=2
		< check 3
		> form private
		< publish 3 c=3
		> ok
		< stored c=3
		> put c=4
		< publish 3 c=4
		> error cancel conflict precondition-not-met
		< items 3
		> items a=1 b=2 c=3
		< check 3`},
	{"rule 5: a node that exists for reading only", `
		# ready
		> put c=3
		< check 3
		> error cancel item-not-found
		< items 3
		> items a=1 b=2
		< check 3
		> error cancel item-not-found
		< items 3
		> items a=1 b=2
		< check 3
		> error cancel item-not-found
		< items 3
		> items a=1 b=2
		< check 3
		> error cancel item-not-found
		< items 3
		> items a=1 b=2
		< check 3
		> error cancel item-not-found
		< items 3
		> items a=1 b=2
		< check 3
		> error cancel item-not-found
		< items 3
		> items a=1 b=2
		< check 3
		> error cancel item-not-found
		< items 3
		> items a=1 b=2
		< check 3
		> error cancel item-not-found
		< items 3
		> items a=1 b=2
		< check 3
		> error cancel item-not-found
		< items 3
		> items a=1 b=2
		< unsupported precondition failed`},
	{"rule 5: a success ends the failures", `
		# ready
		> put c=3
		< check 3
		> error wait resource-constraint
		< timer 5s
		> wait 5s
		< check 3
		> form private
		< publish 3 c=3
		> error wait resource-constraint
		< timer 20s
		> wait 20s
		< publish 3 c=3
		> ok
		< stored c=3
		> put c=4
		< publish 3 c=4
		> error wait resource-constraint
		< timer 5s
		> notify c=7
		< changed 3 c=7
		< dropped c superseded
		< no timer`},
	{"rule 5: reads caused by notifications", `
		# ready
		> notify a
		< items 3
		> purged
		> items a=1 b=2
		< timer 5s
		> wait 4s
		< timer 1s
		> wait 1s
		< items 3
		> items
		< changed 3 -a(missing) -b(missing)
		> delayed a=1
		< timer 5s
		> wait 5s
		< items 3
		> items a=1
		< changed 3 a=1
		> wait 1m
		> delayed a=1
		< items 3
		> items
		< changed 3 -a(missing)`},
	{"rule 1: a delayed retraction may be older than the item", `
		# ready
		> delayedretract a
		< items 3
		> items a=1 b=2`},
	{"rule 5: notifications that contradict what was read", `
		> session
		< nodes
		> nodes 3
		< items 3
		> notify a=5
		< changed 3 a=5
		> items a=4
		< items 3
		> retracted a
		< changed 3 -a
		> items a=5
		< items 3
		> items b=1
		< changed 3 b=1
		< ready`},
	{"rule 5: a server that always contradicts its notifications is read four times", `
		> session
		< nodes
		> nodes 3
		< items 3
		> notify a=5
		< changed 3 a=5
		> items a=4
		< items 3
		> notify a=6
		< changed 3 a=6
		> items a=4
		< items 3
		> notify a=7
		< changed 3 a=7
		> items a=4
		< items 3
		> notify a=8
		< changed 3 a=8
		> items a=4
		< ready
		> wait 1m
		> purged
		< items 3
		> notify a=9
		< changed 3 a=9
		> items a=4
		< items 3`},
	{"an item that the server refuses after a later put", `
		# ready
		> put c=3
		< check 3
		> form private
		< publish 3 c=3
		> put c=4
		> error modify not-acceptable payload-too-big
		< publish 3 c=4
		> ok
		< stored c=4`},
	{"an item that the server refuses", `
		# ready
		> put c=3
		< check 3
		> put a=2
		> form private
		< publish 3 c=3
		> error modify not-acceptable payload-too-big
		< dropped c refused
		< publish 3 a=2
		> error cancel feature-not-implemented
		< unsupported no publish-options`},
	{"one node is refused and others are used", `
		# private
		> put z=1
		< create 40 max
		> error auth forbidden
		< create 40 1000
		> error auth forbidden
		< create 40 256
		> error auth forbidden
		< create 40
		> error auth forbidden
		< create 40
		> error auth forbidden
		< create 40
		> error auth forbidden
		< warning 40 creation refused
		> put a=3
		< publish 3 a=3`},
	{"items of other publishers", `
		# ready
		> by alice@example.org/x a=5
		< changed 3 a=5
		> by mallory@example.org b=5
		< warning 3 left out
		< changed 3 -b(missing)`},
	{"inputs before the first session", `
		> put a=1
		> resumed
		> notify a=3
		> session
		< nodes
		> nodes 3
		< items 3
		> items a=0
		< changed 3 a=0
		< dropped a superseded
		< ready`},
}
