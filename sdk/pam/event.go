package pam

// A ClientEvent is a Changed, ProvisionalChanged, StateChanged, MessageReceived,
// Stored or Warning.
type ClientEvent interface{ event() }

type (
	// Changed says that the committed list differs.
	Changed struct {
		Changes  []Change
		From, To Version
		Origin   Origin
		Source   Source
	}
	// ProvisionalChanged replaces the provisional layer.
	ProvisionalChanged struct{ Items []Provisional }
	// StateChanged says that the SyncState differs.
	StateChanged struct{ State SyncState }
	// MessageReceived hands on a message stanza that is none of this package's
	// business: pubsub events, and chat messages that the server gave to this
	// session because presence is sent with priority 0.
	MessageReceived struct {
		From, To, Type, ID string // as they came; empty if absent
		// XML is the stanza as it came, a part of what the server sent. A reader
		// must resolve prefixes, and must not take an attribute in a namespace, such
		// as x:from, for the stanza's own.
		XML string
		// Omitted says why XML is empty; then a Warning tells it too.
		Omitted Omitted
	}
	// Stored says that this Client has changed the list in its store. Another
	// one that shares the store shows the change at once if it is told to
	// Reload, and at the latest when it stores something itself.
	Stored struct{}
	// Warning reports something that was survived. Ignored is how many messages
	// were ignored, wholly or in part, since the warning before of such: these
	// come at most once a second, and Err is about the last of them. It is 0 if
	// Err is about something else.
	Warning struct {
		Err     *Error
		Ignored uint64
	}
)

// MaxText is the length in bytes of the longest text of a message that is handed
// on.
const MaxText = 4 << 20

// Omitted says why a message is handed on without its text; "" if it has one.
type Omitted string

// The reasons.
const (
	// OmittedTooLong is a text of more than MaxText bytes.
	OmittedTooLong Omitted = "too-long"
	// OmittedUnreadable is a text that other parsers of XML refuse.
	OmittedUnreadable Omitted = "unreadable"
)

func (Changed) event()            {}
func (ProvisionalChanged) event() {}
func (StateChanged) event()       {}
func (MessageReceived) event()    {}
func (Stored) event()             {}
func (Warning) event()            {}
