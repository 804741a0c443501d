//go:build js && wasm

// Command postlink uses the tables that the step after the linker changes, and
// prints what it sees of them. With an argument it then crashes in that way.
package main

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
)

func main() {
	debug.SetGCPercent(1)
	fmt.Println("goroutines:", runtime.NumGoroutine())
	fmt.Println("deep stack:", deep(20_000, &node{value: 1}))
	fmt.Println("reflection:", reflected())
	fmt.Println("recovered:", recovered(func() { panic("a value") }))
	fmt.Println("recovered in a wrapper:", recovered(point{}.fail))
	fmt.Println("nil receiver:", nilReceiver())
	fmt.Println("not recovered twice:", nested())
	frames, known := callers()
	fmt.Println("callers:", frames, known)
	done := make(chan int)
	for i := range 50 {
		go func() {
			defer func() { done <- i + len(recovered(func() { deep(i*100, nil); panic("x") })) }()
			runtime.GC()
		}()
	}
	sum := 0
	for range 50 {
		sum += <-done
	}
	fmt.Println("sum:", sum)
	if len(os.Args) > 1 {
		crashes[os.Args[1]]()
	}
}

type node struct {
	next  *node
	value int
}

// deep grows the stack with pointers into it and to the heap, which the collector
// and the move of the stack must find.
func deep(n int, last *node) int {
	here := node{next: last, value: n}
	if n == 0 {
		runtime.GC()
		sum := 0
		for at := &here; at != nil; at = at.next {
			sum += at.value
		}
		return sum
	}
	return deep(n-1, &here)
}

type point struct{ x, y *node }

func (p point) Sum(extra *node, n int) int {
	deep(n, nil)
	runtime.GC()
	return p.x.value + p.y.value + extra.value
}

func (p point) fail() { panic(errors.New("failed")) }

// reflected calls functions through reflect's own stubs, which the runtime finds by
// their names.
func reflected() int {
	onStack := node{value: 4}
	p := point{&node{value: 1}, &node{value: 2}}
	method := reflect.ValueOf(p).MethodByName("Sum").Interface().(func(*node, int) int)
	made := reflect.MakeFunc(reflect.TypeOf(method), func(args []reflect.Value) []reflect.Value {
		deep(5000, nil)
		runtime.GC()
		return []reflect.Value{reflect.ValueOf(args[0].Interface().(*node).value)}
	}).Interface().(func(*node, int) int)
	return method(&onStack, 5000) + made(&onStack, 0) + onStack.value
}

func recovered(f func()) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	f()
	return ""
}

var none struct {
	node   *node
	point  *point
	summer interface{ Sum(*node, int) int }
}

// nilReceiver calls a method of a value through a nil pointer, which panics with
// an error of the runtime.
func nilReceiver() (ok bool) {
	defer func() { _, ok = recover().(runtime.Error) }()
	none.summer = none.point
	none.summer.Sum(nil, 0)
	return false
}

// nested reports whether only the function that is deferred recovers the panic.
func nested() (outer any) {
	defer func() { outer = recover() }()
	defer func() { func() { recover() }() }()
	panic("once")
}

// callers returns the number of frames, and whether the addresses are those of
// functions.
func callers() (int, bool) {
	pc := make([]uintptr, 20)
	n := inlined(pc)
	frames := runtime.CallersFrames(pc[:n])
	count := 0
	for more := true; more; count++ {
		var f runtime.Frame
		f, more = frames.Next()
		if f.Func != nil && f.Func.Entry() != f.Entry {
			return count, false
		}
	}
	return count, runtime.FuncForPC(pc[0]) != nil
}

func inlined(pc []uintptr) int { return runtime.Callers(0, pc) }

var crashes = map[string]func(){
	"value": func() { fail(errors.New("their data")) },
	"nil":   func() { fmt.Println(none.node.value) },
	"index": func() { fmt.Println([]int{}[len(os.Args)]) },
	"goroutine": func() {
		go generic(strings.Repeat)
		select {}
	},
	"deadlock": func() { select {} },
}

func fail(v any) { failNow(v) }

func failNow(v any) { panic(v) }

func generic[T any](v T) { fail(v) }
