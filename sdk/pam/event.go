package pam

// A ClientEvent is a Changed, ProvisionalChanged, StateChanged, MessageReceived,
// EventsChanged, CatchUpChanged or Warning.
type ClientEvent interface{ event() }

type (
	// Changed reports a change of the committed list or of its version. Changes is
	// empty if no row has changed.
	//
	// Stored reports whether this Client has stored the change. Another Client that
	// shares the store shows it when its Reload method is called, and at the latest
	// when it stores something itself. Stored is false for a change that another
	// Client has stored, and for one that is kept in memory.
	Changed struct {
		Changes  []Change
		From, To Version
		Origin   Origin
		Source   Source
		Stored   bool
	}
	// ProvisionalChanged carries the new provisional layer, which replaces the
	// previous one.
	ProvisionalChanged struct{ Items []Provisional }
	// StateChanged reports a change of the SyncState.
	StateChanged struct{ State SyncState }
	// MessageReceived delivers a message stanza that the client does not handle
	// itself: a pubsub event, or a chat message that the server delivered to this
	// session because the client sends presence with priority 0.
	MessageReceived struct {
		From, To, Type, ID string // as received; empty if absent
		// XML is the text of the stanza as received. Code that parses it must resolve
		// namespace prefixes, and must not treat a namespaced attribute such as
		// x:from as an attribute of the stanza.
		XML string
		// Omitted is the reason why XML is empty. A Warning reports it as well.
		Omitted Omitted
	}
	// EventsChanged reports a change of the inbox, which is stored.
	EventsChanged struct {
		Added           []Event     // in order of arrival
		Removed         []string    // the IDs of events that were dropped to keep the limits
		Updated         []string    // the IDs of events of which the time, payload or Seen has changed
		Nodes           []NodeState // the nodes of which the counts have changed
		Unseen, Dropped int         // in all

		// Reset means that anything may have changed, for example because the inbox was
		// read from the store, or another Client has changed it.
		Reset bool
	}
	// CatchUpChanged reports the progress of a catch-up.
	CatchUpChanged struct{ State CatchUpState }
	// SeenScopeChanged reports a change of InboxState.SeenScope.
	SeenScopeChanged struct{ Scope SeenScope }
	// Warning reports a non-fatal problem. Ignored counts the messages that were
	// ignored, wholly or in part, since the previous Warning about ignored
	// messages. The Client sends at most one such Warning a second; Err describes
	// the last ignored message. Ignored is 0 if Err describes another problem.
	Warning struct {
		Err     *Error
		Ignored uint64
	}
)

// MaxText is the maximum length in bytes of MessageReceived.XML.
const MaxText = 4 << 20

// Omitted is the reason why a message is delivered without its text. It is empty
// if the message has its text.
type Omitted string

// The reasons.
const (
	// OmittedTooLong means that the text is longer than MaxText bytes.
	OmittedTooLong Omitted = "too-long"
	// OmittedUnreadable means that other XML parsers would reject the text.
	OmittedUnreadable Omitted = "unreadable"
)

func (Changed) event()            {}
func (ProvisionalChanged) event() {}
func (StateChanged) event()       {}
func (MessageReceived) event()    {}
func (EventsChanged) event()      {}
func (CatchUpChanged) event()     {}
func (SeenScopeChanged) event()   {}
func (Warning) event()            {}
