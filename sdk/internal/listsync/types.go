// Package listsync keeps a list of subscriptions equal to the one at the account's
// server by XEP-0376 (Pubsub Account Management), client side: the machine that
// decides, and the stanzas that it asks with and hears.
package listsync

import (
	"time"

	"xmpp-pam/sdk/pam"
)

// A Stamp names what is stored at one moment. Epoch starts at random when a
// store is new or was wiped, and grows by one with each commit that changes
// the list or the version.
type Stamp struct {
	Epoch   uint64
	Version pam.Version
}

// A Durable is what is stored: the list, the rows left out of it, and the
// version that belongs to both. They change together or not at all.
type Durable struct {
	Stamp
	List *List // nil if empty
	// Dropped are rows that the server lists and this account no longer wants to
	// see (see Drop), in key order. List and Dropped together are the server's
	// list at Version.
	Dropped []pam.Subscription
}

func (d Durable) list() *List {
	if d.List == nil {
		return NewList(nil)
	}
	return d.List
}

// Phase says how far the machine is.
type Phase uint8

// The phases. The list shown is the stored one until Synced.
const (
	Unsynced Phase = iota // no session
	Syncing               // a round is under way, or a commit that ends one
	Synced                // the committed list was equal to the server's
)

// An Input is something that happened.
type Input interface{ input() }

type (
	// Stored gives the machine what is in the store now: at the start, which is
	// not announced, and when another tab is said to have changed it, which
	// is. Its epoch may be any, because somebody may have emptied the store. But
	// while a commit is under way only one above that counts: any other was
	// read before.
	Stored struct{ Durable Durable }
	// SessionStarted says that a session is bound and presence is sent, or that a
	// new run of the program has resumed a session of an earlier one (XEP-0198):
	// what is stored of a session is older than the session, so a new machine
	// lists. A machine is told nothing of a resumption within its run: nothing was
	// lost, and a round under way goes on. Full asks for the list without a version
	// (every 20th session, and after seven days).
	SessionStarted struct{ Full bool }
	// SessionEnded says that the session cannot be resumed.
	SessionEnded struct{}
	// ListResult answers RequestList. Full tells that the result held a
	// <subscriptions/> element, even an empty one.
	ListResult struct {
		Round   int
		Full    bool
		List    []pam.Subscription
		Version pam.Version
	}
	// ListFailed answers RequestList when the server sent an error or nothing.
	ListFailed struct{ Round int }
	// Notify is one <notify/> that may be believed. Delayed says that it bears
	// a delay stamp, and was not replayed by a resumption within this run while it
	// was Synced: a hint to list.
	Notify struct {
		Version pam.Version
		Items   []pam.Subscription // in document order; StateNone removes
		Delayed bool
	}
	// Committed says that the commit numbered Seq is stored.
	Committed struct{ Seq int }
	// Conflict says that the commit numbered Seq changed nothing, because the
	// store held something else: Durable.
	Conflict struct {
		Seq     int
		Durable Durable
	}
	// Refresh asks for a list, because a page wants one, a reply was lost or a
	// hint came. Full asks without a version.
	Refresh struct{ Full bool }
	// Drop leaves the rows of Key, or all of its node if SubID is empty, out of the
	// list, although the server lists them: it cannot remove them, because their
	// service or node is gone. They stay out until a notify about them or the
	// server's list says otherwise, or until a Drop with Undo puts them back,
	// because this account has subscribed again.
	Drop struct {
		Key  pam.Key
		Undo bool
	}
	// TimerFired says that the time asked for by SetTimer has passed.
	TimerFired struct{ Timer Timer }
)

// An Output is something to do, in order.
type Output interface{ output() }

type (
	// RequestList asks the server for the list, with Version unless it is
	// empty. Answer with ListResult or ListFailed bearing the same Round.
	RequestList struct {
		Round   int
		Version pam.Version
	}
	// Commit stores a new state in one transaction that first compares the
	// stored stamp with Expect. Answer with Committed or Conflict. There is
	// never more than one under way.
	Commit struct {
		Seq    int
		Expect Stamp
		Next   Stamp
		// List is the whole list to be stored. It shares its chunks with the stored
		// one, but for those that differ. Changes lead to it from the stored one, in
		// key order and one for each key. Dropped are all rows left out.
		List    *List
		Changes []pam.Change
		Dropped []pam.Subscription
		// Replace tells that List came as a whole, and shares nothing.
		Replace bool
	}
	// Changed announces that the committed list or its version differs: after
	// Committed, or because another tab's list was adopted. Changes are in key
	// order, and empty if only the version differs. Resync tells that it came
	// from a list rather than from a live notify.
	Changed struct {
		Changes  []pam.Change
		From, To pam.Version
		Resync   bool
	}
	// Overlay adds to the provisional layer over the committed list: what was
	// heard and is not committed yet, by key in key order. An item replaces
	// what the layer or the list holds for its key; StateNone hides it. Reset
	// empties the layer first.
	Overlay struct {
		Reset bool
		Items []pam.Subscription
	}
	// PhaseChanged tells the phase, and in Synced whether it is dirty: notifies
	// are then only shown until a round is quiet.
	PhaseChanged struct {
		Phase Phase
		Dirty bool
	}
	// SetTimer asks for TimerFired at the given time, instead of any earlier
	// demand for that timer. A zero time asks for none.
	SetTimer struct {
		Timer Timer
		At    time.Time
	}
	// ListingFailed says that the server gave no list, with and without a
	// version. The phase stays Syncing; Refresh tries again.
	ListingFailed struct{}
)

// Timer names a timer of the machine.
type Timer uint8

// The timers.
const (
	TimerQuiet         Timer = iota // 2 s without a notify while dirty
	TimerDirtyDeadline              // 10 s after becoming dirty
)

func (Stored) input()         {}
func (SessionStarted) input() {}
func (SessionEnded) input()   {}
func (ListResult) input()     {}
func (ListFailed) input()     {}
func (Notify) input()         {}
func (Committed) input()      {}
func (Conflict) input()       {}
func (Refresh) input()        {}
func (Drop) input()           {}
func (TimerFired) input()     {}

func (RequestList) output()   {}
func (Commit) output()        {}
func (Changed) output()       {}
func (Overlay) output()       {}
func (PhaseChanged) output()  {}
func (SetTimer) output()      {}
func (ListingFailed) output() {}
