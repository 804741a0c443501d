//go:build js && wasm

package random

import "syscall/js"

// Read fills b, which has at most 65,536 bytes.
func Read(b []byte) {
	array := js.Global().Get("Uint8Array").New(len(b))
	js.Global().Get("crypto").Call("getRandomValues", array)
	js.CopyBytesToGo(b, array)
}
