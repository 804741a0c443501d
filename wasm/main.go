//go:build js && wasm

// Command wasm is the client as a WebAssembly program: package sdk/client with one
// function through which the host calls it and one through which it calls the host.
//
// The host starts it with the arguments (program, key), where globalThis[key]
// is an object with these functions:
//
//	openSocket      see wasm/socket
//	openDatabase    see wasm/idb
//	deleteDatabase  see wasm/idb
//	fetchDocument   see wasm/fetch
//	deriveKey       see wasm/kdf
//	openChannel(account)  opens a channel to other programs of the account; their
//	              announcements become requests for the operation reload
//	announce()    notifies those programs that the stored list or inbox has changed
//	ready(dispatch, goVersion, version)  is called first, and once
//	post(text, page)  takes one JSON text for a page, and returns its length, so that
//	              the program sees whether all of it has arrived; it must not call
//	              back
//
// The program takes that object and deletes the property. From then on the
// host calls dispatch(request, page), where request is an object {id, op, …} and page
// the number of the page that sends it, and the program posts arrays of
//
//	{"id":1,"ok":…}                        the result of request 1
//	{"id":1,"error":{"code":…,"text":…}}   its failure
//	{"event":"…",…}                        an event
//
// in the order in which they occurred: the changes that a request made are posted
// before its result. A request without id has no result. The operations and the
// notices are in operations.go, the events in events.go, and how the program
// writes results and events in encode.go.
//
// One program is one client, which several pages may use. It ends after the operation
// close of the last page, and after a panic, which it posts as {"event":"crash"}.
package main

import (
	"os"
	"runtime"
	"runtime/debug"

	"github.com/hack-pad/safejs"
)

// version is the version of the npm package, stamped by the build.
var version = "0.0.0"

// The garbage collector runs on the program's only thread, and its first runs use
// code that the browser has not optimised yet: with a heap of a few MiB they took
// as long as the rest of the first sync. gcPercent makes it run rarely while the
// heap is small; memoryLimit makes it run more often when long lists fill the heap.
const (
	gcPercent   = 400
	memoryLimit = 192 << 20 // bytes
)

func main() {
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(memoryLimit)
	host, err := takeHost()
	if err != nil {
		println("xmpp-pam: no host object: " + err.Error())
		os.Exit(3)
	}
	b := newBridge(host)
	defer b.guard()
	dispatch, err := safejs.FuncOf(func(_ safejs.Value, args []safejs.Value) any {
		defer b.guard()
		if len(args) == 2 {
			if page, err := args[1].Int(); err == nil {
				b.dispatch(args[0], page)
			}
		}
		return nil
	})
	if err != nil {
		println("xmpp-pam: no dispatch function: " + err.Error())
		os.Exit(3)
	}
	defer dispatch.Release()
	if _, err := host.Call("ready", dispatch.Value(), runtime.Version(), version); err != nil {
		println("xmpp-pam: the host is not ready: " + err.Error())
		os.Exit(3)
	}
	<-b.done
}

// takeHost takes the host object out of the global scope.
func takeHost() (safejs.Value, error) {
	key := ""
	if len(os.Args) > 1 {
		key = os.Args[1]
	}
	host, err := safejs.Global().Get(key)
	if err != nil {
		return host, err
	}
	return host, safejs.Global().Delete(key)
}
