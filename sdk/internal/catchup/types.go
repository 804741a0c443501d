// Package catchup finds the events that were published while this device had no session.
//
// A Machine carries out one catch-up: it chooses for each node the best means that the
// servers offer, makes the requests, and reports what it found, how far it got and what
// may still be missing. It does not decide what is new: the inbox recognises events that
// it has already.
//
// # Current nodes
//
// A node is current while nothing of it is missing: from the time at which a catch-up has
// read it, until the session ends, because events then come live. What is missing lies
// between the end of the last session in which it was current (Node.CurrentUntil) and the
// beginning of this one. Events that came live before the node was current say nothing
// about those before them: they neither move a Cursor (see Live) nor tell how far the items
// must be read (see Known). That is why a catch-up that was cut off can be continued.
//
// # What a means can tell
//
// The archive of the account tells everything, if its server says that it holds all events,
// that the results are complete, and if it reaches back to the last session: it still has
// the message of the cursor, or an older one. The archive of a node tells what was
// published. Items tell what was published last under each id, and which known items are
// gone; it is not known when, and an item that is gone was either retracted or removed
// because the node was full. Anything else is a gap, or else the completeness is unknown.
package catchup

import (
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
)

// A Means is a way to find the events of a node.
type Means uint8

// The means, best first.
const (
	AccountArchive Means = iota // the archive of the account (XEP-0313)
	NodeArchive                 // the archive of the node (XEP-0442)
	Items                       // the items that the node keeps (XEP-0060 §6.5)
)

func (m Means) String() string { return [...]string{"account-archive", "node-archive", "items"}[m] }

// An ArchiveSupport says which events the archive of the account holds.
type ArchiveSupport uint8

// The values of ArchiveSupport.
const (
	NoArchive  ArchiveSupport = iota
	SomeEvents                // the account announces urn:xmpp:mam:2: the archive holds those of nodes that are Archived
	AllEvents                 // the account also announces urn:xmpp-pam:archives-all-events:0
)

// A Support says what a service announces.
type Support struct {
	NodeArchive bool // urn:xmpp:mam:2
	Paging      bool // pubsub#rsm, or XEP-0059
}

// A Cursor is a place in an archive: every message up to it was read. The zero Cursor is
// not known.
type Cursor struct {
	By string    // the address of the archive
	ID string    // of the message in the archive
	At time.Time // of that message, by the clock of the archive
}

// A Node is a followed node.
type Node struct {
	Service, Node string
	LastActivity  time.Time // of its newest known event; nodes are asked in this order, newest first

	// CurrentUntil is the time, by this device's clock, up to which nothing is missing: the
	// end of the last session in which the node became current (see Reached). If it is
	// zero, nothing was ever fetched: the newest few items are, so that there is something
	// to show. Of these no event counts as missed, but those since the last session do,
	// which the archive of the account holds if the subscription was made elsewhere.
	CurrentUntil time.Time
	Cursor       Cursor    // of the last Reached
	AskedAt      time.Time // of the last Asked; the node is not asked again within 5 minutes

	// Current reports that the node is current in the session that Start continues. It is
	// not asked.
	Current bool
	// Archived reports that the newest event received live has a stanza-id by the account.
	Archived bool
	// Unlisted reports that the account is not subscribed: the service sends the events of
	// the node because of presence (XEP-0163 §4.1), and the account does not archive them.
	Unlisted bool
	// Left reports that the subscription ended since the last session. Nothing is
	// requested for the node alone, but events in the archive of the account count.
	Left bool
	// Payloads, if it is not nil, holds the namespaces of the payloads that are wanted.
	Payloads []string
}

// A Known is an event by which the inbox knows an item as published.
type Known struct {
	ItemID string
	Digest string    // of the payload; an empty one is not compared
	At     time.Time // received
	// Late reports that the event was found by a catch-up. It can be older than live ones
	// that were received before it. Those that were found together have the same time At.
	Late bool
}

// An Input is an event for the Machine.
type Input interface{ input() }

type (
	// Start begins a catch-up: after each session that was not resumed, and in a new run
	// of the program that resumes a session whose catch-up an earlier run had not
	// finished. It ends the catch-up that is under way; requests of an earlier session
	// are void.
	Start struct {
		Account  string         // its bare JID
		Since    time.Time      // the end of the last session, zero if there was none
		Prefix   string         // of the ids of requests: random, and different in each run
		Archive  ArchiveSupport // of the account
		Services map[string]Support
		Nodes    []Node
		Gaps     []pam.Gap // of the last catch-up, if it was not Done; Since is then its Since
	}
	// Added adds nodes, because a subscription came or more events are wanted now. Of the
	// nodes that are known already it changes nothing.
	Added struct {
		Nodes    []Node
		Services map[string]Support
	}
	// Retry reads nodes again of which not everything was read, because of a failure or of
	// Cancel. Their gaps are forgotten.
	Retry struct {
		Nodes    []Node
		Services map[string]Support
	}
	// Removed takes a node out.
	Removed struct{ Service, Node string }
	// Result answers a Request. Known answers Request.Compare: the events by which the inbox
	// knows the published items of the node that were not retracted since, in order of
	// receipt.
	Result struct {
		ID    string
		IQ    *element.Element
		Known []Known
	}
	// Failed reports that a Request was answered with an error, or not at all.
	Failed struct {
		ID  string
		Err *pam.Error
	}
	// ArchiveResult is a result of an archive. From is the address, as Machine.Archive
	// returned it, with which the caller has compared the sender of the message.
	ArchiveResult struct {
		From   string
		Result *pubsub.ArchiveResult
	}
	// Live reports a live event of a node with its stanza-id by the account.
	Live struct {
		Service, Node string
		Cursor        Cursor
	}
	// Paused reports that the connection is lost. Requests under way remain so.
	Paused struct{}
	// Resumed reports that the session continues (XEP-0198).
	Resumed struct{}
	// Cancel ends the catch-up. Held reports that nodes of it were not added yet, so that it
	// is not done even if nothing is under way.
	Cancel struct{ Held bool }
	// TimerFired reports that the time of SetTimer has come.
	TimerFired struct{}
)

// An Output is an action for the caller to carry out, in order. What the outputs of one
// Step change is stored in one commit: Found, Reached, Asked and the gaps in Progress
// belong together.
type Output interface{ output() }

type (
	// Request sends an iq. The caller answers with Result or Failed, unless the session
	// ends first.
	Request struct {
		ID       string
		To, Type string // Type is get or set
		Payload  *element.Element
		Compare  *Compare // if it is not nil, the Result must have Known
	}
	// Withdraw reports that the answer to a Request is not wanted any more. If it is passed
	// on all the same, Step ignores it.
	Withdraw struct{ ID string }
	// Found reports events. Those that the inbox knows may be among them. New reports that
	// they are the first of a node, of which nothing counts as missed.
	Found struct {
		Events []Event
		Means  Means
		New    bool
	}
	// Reached reports how far the events of nodes of a service were read. Cursor, unless it
	// is zero, replaces that of the nodes. Current reports that the nodes are current from
	// now on: while the session lasts, each event comes live. If it is false, nodes that are
	// current stay so. Nodes is shared between outputs, and may name nodes that were Left.
	Reached struct {
		Service string
		Nodes   []string
		Cursor  Cursor
		Current bool
	}
	// Asked reports that a node was asked, and answered or failed, for Node.AskedAt.
	Asked struct {
		Service, Node string
		At            time.Time
	}
	// Progress reports the state. The numbers of received events are the inbox's to fill
	// in.
	Progress struct{ State pam.CatchUpState }
	// Done reports that all requests are answered. If nodes are left that were asked less
	// than 5 minutes ago, the catch-up continues at the time of the timer.
	Done struct{ State pam.CatchUpState }
	// SetTimer requests TimerFired at the time and replaces an earlier one. A zero time
	// cancels it.
	SetTimer struct{ At time.Time }
)

// Compare names the node whose Known the Result of a Request needs.
type Compare struct{ Service, Node string }

// An Event is what was found. It has the fields of inbox.Incoming.
type Event struct {
	pubsub.Notification
	At        time.Time      // zero if only the payload tells it
	Source    pam.TimeSource // of At
	Delivery  pam.Delivery
	ArchiveID string // of the archive of the account
}

func (Start) input()         {}
func (Added) input()         {}
func (Retry) input()         {}
func (Removed) input()       {}
func (Result) input()        {}
func (Failed) input()        {}
func (ArchiveResult) input() {}
func (Live) input()          {}
func (Paused) input()        {}
func (Resumed) input()       {}
func (Cancel) input()        {}
func (TimerFired) input()    {}

func (Request) output()  {}
func (Withdraw) output() {}
func (Found) output()    {}
func (Reached) output()  {}
func (Asked) output()    {}
func (Progress) output() {}
func (Done) output()     {}
func (SetTimer) output() {}
