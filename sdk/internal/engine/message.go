package engine

import (
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/internal/privatepep"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// A message is what a part reports to the parts above it. It goes into the engine's
// queue and is handled after the current work, so that no part calls upwards.
type message any

// The messages of link.
type (
	// dialWanted asks for link.dialIfWanted once the store has been read.
	dialWanted struct{}
	// sessionUp reports that the connection carries a session.
	sessionUp struct {
		jid        jid.JID
		resumed    bool   // it is an earlier session
		earlierRun bool   // of an earlier run of the program
		mechanism  string // of the authentication
	}
	// stanzaReceived delivers a stanza of the server. Seq is its number in the session.
	stanzaReceived struct {
		seq    uint64
		stanza *element.Element
	}
	// streamStepped reports that the session may have to be stored again.
	streamStepped struct{}
	// messageTooLarge asks for link.endOversized.
	messageTooLarge struct{ err error }
	// connectionDown reports that the connection has ended. The link has decided what
	// happens to the session; link.proceed carries out the next step.
	connectionDown struct {
		session      fate
		bound        bool          // the connection carried a session
		lastReceived time.Time     // when its last message came
		stuck        bool          // the session ends because resuming it made no progress
		next         next          // what the link does now
		replies      []func(error) // of calls that asked for the end
	}
)

// The messages of session.
type (
	// reply is the end of a request, for the part that made it.
	reply func()
	// stanzaHandled reports that the stanza numbered seq is handled, except for the
	// notifies and events in it. It follows all messages that the stanza caused.
	stanzaHandled struct {
		seq      uint64
		notifies []notify

		published []pubsub.Notification // events, of which the senders are not verified
		at        time.Time             // the delay stamp, or zero
		delivery  pam.Delivery
		direct    bool   // the message is addressed to this session, not to the account
		archiveID string // the stanza-id by the account, or empty
		archived  *pubsub.ArchiveResult
		message   *element.Element          // that of archived
		private   []privatepep.Notification // of the account's private nodes, from the account
	}
	// A notify is one whose sender was verified. Replayed reports whether it is delayed
	// because the server sent it again after a resumption.
	notify struct {
		listsync.Notify
		replayed bool
	}
	// capsRequested reports that the account's server has queried this client's
	// capabilities.
	capsRequested struct{}
	// serviceEvent reports that a service has sent a change of subscriptions at nodes.
	serviceEvent struct {
		service string
		nodes   []string
	}
	// devicePresence reports that another session of the account with this program is
	// connected since a time, or has ended if that is zero. The latter is reported of any
	// program.
	devicePresence struct {
		name  string // its full JID
		since time.Time
	}
	// outranked reports presence of another session of the account while a session
	// with a higher priority than this one exists or existed.
	outranked struct{}
)

// The messages of seen.
type (
	// markersChanged reports markers that the server has; see inbox.RemoteMarkers.
	markersChanged struct {
		markers  []pam.Marker
		revision uint64
	}
	// markersRead reports that markersChanged has reported all.
	markersRead struct{}
	// markerPublished reports the outcome of seen.publish.
	markerPublished struct {
		marker pam.Marker
		failed bool
	}
	// liveElsewhere reports that another device was connected.
	liveElsewhere struct{ from, to time.Time }
)

// The messages of account.
type (
	// accountLive reports that the list equals the server's, or that the server does not
	// support PAM.
	accountLive struct{}
	// listCommitted reports a change of the list.
	listCommitted struct {
		changes []pam.Change
		initial bool // the list was not known before
	}
	// listRefused reports that the server currently does not provide the list.
	listRefused struct{ err *pam.Error }
)

// The messages of storage.
type (
	// storeLoaded reports the result of the first read.
	storeLoaded struct {
		durable listsync.Durable
		record  syncRecord
		session *sessionRecord // nil if there is none to resume
		failed  bool           // the store could not be read: the machine's list is authoritative
	}
	// storeFailed asks for storage.useMemory.
	storeFailed struct{ err error }
	// storeReloaded reports the result of a later read.
	storeReloaded struct {
		durable listsync.Durable
		found   bool
	}
	// commitDone reports that a commit is stored.
	commitDone struct{ seq int }
	// inboxLoaded reports the records of the inbox.
	inboxLoaded struct{ records []store.Record }
	// commitConflict reports that the store did not contain what the commit expected.
	commitConflict struct {
		seq     int
		durable listsync.Durable
	}
	// sessionRecordDue asks for storage.writeSession.
	sessionRecordDue struct{}
	// sessionRecordWritten reports what is stored of the session.
	sessionRecordWritten struct {
		resumption *stream.Resumption // nil if none is stored, or another may be
		urgent     bool               // the program may be terminated soon
	}
	// jobDone asks for storage.startNext.
	jobDone struct{}
)
