// Package listsync implements the client side of XEP-0376 (Pubsub Account Management):
// the state machine that keeps a list of subscriptions equal to the one at the account's
// server, and the stanzas for it.
package listsync

import (
	"time"

	"xmpp-pam/sdk/pam"
)

// A Stamp identifies the stored state at one moment. Epoch starts at a random value
// when a store is new or was emptied, and increases by one with each commit that changes
// the list or the version.
type Stamp struct {
	Epoch   uint64
	Version pam.Version
}

// A Durable is the stored state: the list, the rows left out of it, and the
// version that belongs to both. They change together or not at all.
type Durable struct {
	Stamp
	List *List // nil if empty
	// Dropped holds the rows that the server lists and that are left out of List (see
	// Drop), in key order. List and Dropped together are the server's list at Version.
	Dropped []pam.Subscription
}

func (d Durable) list() *List {
	if d.List == nil {
		return NewList(nil)
	}
	return d.List
}

// Phase is the phase of the synchronisation.
type Phase uint8

// The phases. Until Synced, the committed list may differ from the server's.
const (
	Unsynced Phase = iota // no session
	Syncing               // a round, or the commit that ends one, is pending
	Synced                // the committed list equals the server's
)

// An Input is an event for the Machine.
type Input interface{ input() }

type (
	// Stored carries the content of the store: at the start, where the machine does
	// not announce it, and after a hint that another tab has changed it, where the
	// machine does. The epoch may have any value, because another tab may have emptied
	// the store. While a commit is pending, only a higher epoch than that of the commit
	// counts; any other content was read before the commit.
	Stored struct{ Durable Durable }
	// SessionStarted reports that a session is bound and presence is sent, or that a
	// new run of the program has resumed a session of an earlier one (XEP-0198). The
	// stored record of a session is older than the session, so a new run requests the
	// list. A resumption within the same run is not reported: nothing was lost, and a
	// pending round continues. Full requests the list without a version (every 20th
	// session, and after seven days).
	SessionStarted struct{ Full bool }
	// SessionEnded reports that the session has ended and cannot be resumed.
	SessionEnded struct{}
	// ListResult answers RequestList. Full reports whether the result contained a
	// <subscriptions/> element, even an empty one.
	ListResult struct {
		Round   int
		Full    bool
		List    []pam.Subscription
		Version pam.Version
	}
	// ListFailed answers RequestList if the server sent an error or did not answer.
	ListFailed struct{ Round int }
	// Notify is one <notify/> from a verified sender. Delayed reports whether it has a
	// delay stamp and was not replayed by a resumption within a run that was Synced;
	// such a notify only causes a list request.
	Notify struct {
		Version pam.Version
		Items   []pam.Subscription // in document order; StateNone removes
		Delayed bool
	}
	// Committed reports that the commit numbered Seq is stored.
	Committed struct{ Seq int }
	// Conflict reports that the commit numbered Seq has changed nothing, because the
	// store contained Durable instead of what the commit expected.
	Conflict struct {
		Seq     int
		Durable Durable
	}
	// Refresh requests the list, because the program asks for it, a reply was lost or
	// a hint arrived. Full requests it without a version.
	Refresh struct{ Full bool }
	// Drop leaves the rows of Key, or all rows of its node if SubID is empty, out of
	// the list although the server lists them, because their service or node does not
	// exist any more and the server cannot remove them. They are left out until a
	// notify or the server's list changes them, or until a Drop with Undo restores them
	// because the account has subscribed again.
	Drop struct {
		Key  pam.Key
		Undo bool
	}
	// TimerFired reports that a timer set by SetTimer has expired.
	TimerFired struct{ Timer Timer }
)

// An Output is an action for the caller to carry out, in order.
type Output interface{ output() }

type (
	// RequestList requests the list from the server, with Version unless it is
	// empty. The caller answers with ListResult or ListFailed with the same Round.
	RequestList struct {
		Round   int
		Version pam.Version
	}
	// Commit stores a new state in one transaction that first compares the
	// stored stamp with Expect. The caller answers with Committed or Conflict. At most
	// one Commit is pending.
	Commit struct {
		Seq    int
		Expect Stamp
		Next   Stamp
		// List is the whole list to be stored. It shares its chunks with the stored
		// one, except for those that differ. Changes are the differences from the
		// stored list, in key order and one for each key. Dropped holds all rows that
		// are left out.
		List    *List
		Changes []pam.Change
		Dropped []pam.Subscription
		// Replace reports whether List is a complete new list, which shares no chunks.
		Replace bool
	}
	// Changed announces a change of the committed list or its version: after
	// Committed, or because another tab's list was adopted. Changes are in key
	// order, and empty if only the version has changed. Resync reports whether the
	// change came from a list rather than from a live notify.
	Changed struct {
		Changes  []pam.Change
		From, To pam.Version
		Resync   bool
		Adopted  bool // it was stored before, for example by another tab
	}
	// Overlay adds received but uncommitted notifies to the provisional layer, one item
	// for each key in key order. An item replaces what the layer or the list holds for
	// its key; StateNone hides it. Reset empties the layer first.
	Overlay struct {
		Reset bool
		Items []pam.Subscription
	}
	// PhaseChanged announces the phase and, in Synced, whether the machine is dirty:
	// notifies are then only shown until a round is quiet.
	PhaseChanged struct {
		Phase Phase
		Dirty bool
	}
	// SetTimer requests TimerFired at the given time, and replaces any earlier request
	// for that timer. A zero time cancels the timer.
	SetTimer struct {
		Timer Timer
		At    time.Time
	}
	// ListingFailed reports that the list requests failed, both with and without a
	// version. The phase stays Syncing; Refresh tries again.
	ListingFailed struct{}
)

// Timer identifies a timer of the machine.
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
