// Package storetest is the conformance suite for implementations of store.Store.
//
// It needs no files and no network, so it also runs in a browser.
package storetest

import (
	"context"
	"testing"
	"time"

	"xmpp-pam/sdk/store"
)

// A Check tests one requirement on a store of its own, which must be empty. The
// error describes what was expected and what happened.
type Check struct {
	Name string
	Run  func(ctx context.Context, s store.Store) error
}

// Checks is the whole suite.
var Checks = []Check{
	{"absent records", absent},
	{"put, get and delete", putGetDelete},
	{"empty value is not absent", emptyValue},
	{"values of all bytes and 2 MiB", largeValues},
	{"a value that was read stays", valuesStay},
	{"many records in one commit", manyRecords},
	{"scan is in key order", scanOrder},
	{"scan of ranges", scanRanges},
	{"scan with limit and reverse", scanLimits},
	{"ops apply in order", opsOrder},
	{"delete of a range", deleteRange},
	{"commit with a right expectation", expectRight},
	{"conflict leaves everything as it was", conflict},
	{"expectations are about the time before the ops", expectBefore},
	{"empty commit", emptyCommit},
	{"an unknown op changes nothing", unknownOp},
	{"one winner among concurrent commits", oneWinner},
	{"concurrent counter", counter},
	{"readers see whole commits", wholeCommits},
	{"cancelled context", cancelled},
	{"closed store", closed},
}

// Run runs every check on a new store. open returns an empty store, which Run
// closes.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, check := range Checks {
		t.Run(check.Name, func(t *testing.T) {
			s := open(t)
			defer s.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := check.Run(ctx, s); err != nil {
				t.Error(err)
			}
		})
	}
}
