//go:build js && wasm

// Command wasm is the client as a program for WebAssembly: package
// sdk/client behind one function in and one function out.
//
// The host starts it with the arguments (program, key), where globalThis[key]
// is an object with six functions:
//
//	openSocket      see wasm/socket
//	openDatabase    see wasm/idb
//	deleteDatabase  see wasm/idb
//	fetchDocument   see wasm/fetch
//	deriveKey       see wasm/kdf
//	ready(dispatch, goVersion, version)  is called once, first
//	post(text)    takes one JSON text, and returns its length, so that the
//	              program sees whether all of it has arrived; it must not call
//	              back
//
// The program takes that object and deletes the property. From then on the
// host calls dispatch(request), where request is an object {id, op, …}, and
// the program posts arrays of
//
//	{"id":1,"ok":…}                        the result of request 1
//	{"id":1,"error":{"code":…,"text":…}}   its failure
//	{"event":"…",…}                        something that happened
//
// in the order in which things happened: what a request changed is posted
// before its result. A request without id has no result. The operations and the
// notices are in operations.go, the events in events.go.
//
// One program is one client. It ends after the operation close, and after
// a panic, which it posts as {"event":"crash"}.
package main

import (
	"os"
	"runtime"
	"runtime/debug"

	"github.com/hack-pad/safejs"
)

// version is the version of the npm package, stamped by the build.
var version = "0.0.0"

// The collector runs on the thread of everything else, and its first runs in
// code that the browser has not optimised yet: with a heap of a few MiB they took
// as long as all the rest of the first sync. So it is to run rarely while there is
// little to collect; the limit keeps long lists from doubling several times.
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
		if len(args) == 1 {
			b.dispatch(args[0])
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
