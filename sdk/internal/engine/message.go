package engine

import (
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
)

// A message is what a part tells those above it. It goes into the engine's queue
// and is handled once the work under way is done: nothing is called from below.
type message any

// What link tells.
type (
	// dialWanted asks for link.dialIfWanted once the store has been read.
	dialWanted struct{}
	// sessionUp says that the connection carries a session.
	sessionUp struct {
		jid        jid.JID
		resumed    bool   // it is the session of before
		earlierRun bool   // of an earlier run of the program
		mechanism  string // of the log-in
	}
	// stanzaReceived hands on a stanza of the server. Seq counts those of the session.
	stanzaReceived struct {
		seq    uint64
		stanza *element.Element
	}
	// streamStepped says that what is to be stored of the session may differ.
	streamStepped struct{}
	// messageTooLarge asks for link.endOversized.
	messageTooLarge struct{ err error }
	// connectionDown says that there is no connection any more. What becomes of the
	// session is decided; link.proceed does what comes after.
	connectionDown struct {
		session fate
		bound   bool          // the connection carried a session
		heard   time.Time     // when its last message came
		stuck   bool          // the session ends because it was resumed in vain
		next    next          // what the link does now
		replies []func(error) // of calls that asked for the end
	}
)

// What session tells.
type (
	// reply is the end of a request, for the part that made it.
	reply func()
	// stanzaHandled comes after all that the stanza numbered seq led to, but for the
	// notifies in it.
	stanzaHandled struct {
		seq      uint64
		notifies []notify
	}
	// A notify is one that may be believed. Replayed says that it is delayed
	// because the session missed it and was resumed.
	notify struct {
		listsync.Notify
		replayed bool
	}
	// capsRequested says that the account's server has asked what this client can do.
	capsRequested struct{}
	// serviceEvent says that a service tells of a change to subscriptions at nodes.
	serviceEvent struct {
		service string
		nodes   []string
	}
	// outranked says that another session of the account was seen while one of
	// higher priority than this was there.
	outranked struct{}
)

// What account tells.
type (
	// accountLive says that the list is the server's, or that there can be none.
	accountLive struct{}
	// listRefused says that the server gives no list for now.
	listRefused struct{ err *pam.Error }
)

// What storage tells.
type (
	// storeLoaded says what the first reading found.
	storeLoaded struct {
		durable listsync.Durable
		record  syncRecord
		session *sessionRecord // nil if there is none to resume
		failed  bool           // nothing could be read: the machine's list counts
	}
	// storeFailed asks for storage.useMemory.
	storeFailed struct{ err error }
	// storeReloaded says what another reading found.
	storeReloaded struct {
		durable listsync.Durable
		found   bool
	}
	// commitDone says that a commit is stored.
	commitDone struct {
		seq      int
		inMemory bool
	}
	// commitConflict says that the store held something else than the commit expects.
	commitConflict struct {
		seq     int
		durable listsync.Durable
	}
	// sessionRecordDue asks for storage.writeSession.
	sessionRecordDue struct{}
	// sessionRecordWritten says what is stored of the session.
	sessionRecordWritten struct {
		resumption *stream.Resumption // nil if none is stored, or another may be
		urgent     bool               // the program may be stopped soon
	}
	// jobDone asks for storage.startNext.
	jobDone struct{}
)
