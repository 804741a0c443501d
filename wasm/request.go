//go:build js && wasm

package main

import (
	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/pam"
)

// A request is one call of dispatch. Its methods return zero for a member that is
// absent or of another type: the host has checked the options of its callers.
type request struct {
	page  *page
	id    int
	op    string
	value safejs.Value
}

func readRequest(v safejs.Value) request {
	r := request{value: v}
	r.id, r.op = r.int("id"), r.string("op")
	return r
}

func (r request) key() requestKey { return requestKey{r.page.number, r.id} }

func (r request) string(name string) string {
	v, err := r.value.Get(name)
	if err != nil || v.Type() != safejs.TypeString {
		return ""
	}
	s, _ := v.String()
	return s
}

func (r request) int(name string) int {
	v, err := r.value.Get(name)
	if err != nil || v.Type() != safejs.TypeNumber {
		return 0
	}
	n, _ := v.Int()
	return n
}

func (r request) bool(name string) bool {
	v, err := r.value.Get(name)
	if err != nil {
		return false
	}
	b, err := v.Bool()
	return err == nil && b
}

// strings returns nil if the member is not an array of strings.
func (r request) strings(name string) []string {
	v, err := r.value.Get(name)
	if err != nil {
		return nil
	}
	return stringsOf(v)
}

// stringsOf returns nil if v is not an array of strings.
func stringsOf(v safejs.Value) []string {
	if v.Type() != safejs.TypeObject {
		return nil
	}
	n, err := v.Length()
	if err != nil {
		return nil
	}
	list := make([]string, 0, n)
	for i := range n {
		item, err := v.Index(i)
		if err != nil || item.Type() != safejs.TypeString {
			return nil
		}
		s, err := item.String()
		if err != nil {
			return nil
		}
		list = append(list, s)
	}
	return list
}

// rows reads an array of arrays of strings. It returns nil if the member is not an array.
func (r request) rows(name string) [][]string {
	v, err := r.value.Get(name)
	if err != nil || v.Type() != safejs.TypeObject {
		return nil
	}
	n, _ := v.Length()
	rows := [][]string{}
	for i := range n {
		row, err := v.Index(i)
		if err != nil {
			return nil
		}
		rows = append(rows, stringsOf(row))
	}
	return rows
}

func (r request) target() pam.Target {
	return pam.Target{Service: r.string("service"), Node: r.string("node"), SubID: r.string("subid")}
}
