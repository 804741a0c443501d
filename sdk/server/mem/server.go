// Package mem is an in-memory XMPP server for development and tests. It supports XMPP
// over WebSocket (RFC 7395), accounts with several sessions that survive a lost
// connection (XEP-0198), pubsub services (XEP-0060), personal nodes (XEP-0163),
// Pubsub Account Management (XEP-0376) and archives of messages (XEP-0313) and of nodes
// (XEP-0442). A test can control it: drop a connection, discard a session, hold
// messages back, send arbitrary text.
//
// It shares no code with the client of this module: it has its own XML parser, SASL
// and vocabulary, so that an error of one side is detected by the other. It rejects
// every violation of the protocol.
//
// One mutex guards all state, and every message is queued while that mutex is held.
// So each session receives stanzas in the order of the changes: a list reply neither
// overtakes a live notify nor is overtaken by one.
//
// Where the specifications leave a choice, it does what Prosody 0.12 with mod_pam does;
// a Personality makes it like another server. It does not support TLS, server-to-server
// links and rosters.
package mem

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"mellium.im/xmpp/jid"
)

// Config configures a new server. The zero value serves "localhost" without accounts.
type Config struct {
	Domain     string            // default "localhost"
	Accounts   map[string]string // localpart → password
	Mechanisms []string          // SASL mechanisms offered, default SCRAM-SHA-512, SCRAM-SHA-256, SCRAM-SHA-1, PLAIN, in this order
	DisablePAM bool              // do not advertise or answer XEP-0376
	History    int               // PAM changes per account for which an older version is answered with a delta, default 500
	DisableSM  bool              // do not offer stream management (XEP-0198), and end the stream of a client that uses it
	ResumeFor  time.Duration     // how long a session without a connection can be resumed, default a minute
	SMLocation string            // the address for resumption, as host:port (XEP-0198 §5); not sent if empty

	Archive     bool // archive the events and messages of accounts (XEP-0313), and send events with their ids
	NodeArchive bool // archive what is published at nodes (XEP-0442)
	ArchiveSize int  // entries of an archive, of which the oldest are removed, default 10,000
	ArchivePage int  // maximum number of results of one query, default 50
	Offline     bool // keep normal and chat messages for accounts without a session (XEP-0160)

	Services   []string // labels of further pubsub services: "feeds" is feeds.localhost
	MaxItems   int      // the most that pubsub#max_items can be, and its default except for personal nodes, default 256
	RSM        bool     // return pages of items and of disco#items (XEP-0059)
	Publishers bool     // items name their publisher

	Personality Personality // how the server interprets XEP-0376 and delivers events
}

// Server is the whole server. It is an http.Handler: the WebSocket endpoint. All methods may be called from several goroutines.
type Server struct {
	cfg     Config
	unknown *secrets // for accounts that do not exist, so that a login fails as with a wrong password

	mu       sync.Mutex
	closed   bool
	down     int // number of calls to Restart that have not returned
	conns    map[*session]bool
	accounts map[string]*account // by bare JID
	services map[string]*service // by JID: the pubsub services, and one per account
	caps     map[string]capsInfo // by caps hash
	holds    []*hold
	serial   int       // numbers generated ids, items and nodes
	ticked   time.Time // see tick
	later    []func()  // see after
	running  sync.WaitGroup

	logMu   sync.Mutex
	log     []Frame
	observe func(Frame)
}

type account struct {
	bare     string
	secrets  *secrets
	sessions map[string]*session // bound ones, by resource; hibernating ones too
	ended    []ended             // the last resumable sessions that ended
	pam      *pamList
	archive  *archive
	offline  []*elem
	contacts map[string]bool // bare JIDs of accounts to which it shows its presence, see Befriend
	like     Personality
	quiet    bool // no session is notified of the current change
	outrank  int  // see Outrank
}

// New returns a server, which the caller must close. It fails if the domain or an
// account name is not a valid part of a JID, or a mechanism is unknown. The server
// accepts WebSockets from any Origin and passwords without TLS, so it is for loopback
// only.
func New(cfg Config) (*Server, error) {
	if cfg.Domain == "" {
		cfg.Domain = "localhost"
	}
	domain, err := jid.New("", cfg.Domain, "")
	if err != nil {
		return nil, fmt.Errorf("mem: %q cannot be a domain: %w", cfg.Domain, err)
	}
	cfg.Domain = domain.String()
	if len(cfg.Mechanisms) == 0 {
		cfg.Mechanisms = []string{"SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"}
	}
	for _, m := range cfg.Mechanisms {
		if m != "PLAIN" && hashes[m] == nil {
			return nil, fmt.Errorf("mem: the mechanism %q is unknown; use SCRAM-SHA-512, SCRAM-SHA-256, SCRAM-SHA-1 or PLAIN", m)
		}
	}
	if cfg.History <= 0 {
		cfg.History = 500
	}
	if cfg.ResumeFor <= 0 {
		cfg.ResumeFor = time.Minute
	}
	cfg.ArchiveSize = cmp.Or(max(cfg.ArchiveSize, 0), 10_000)
	cfg.ArchivePage = cmp.Or(max(cfg.ArchivePage, 0), 50)
	cfg.MaxItems = cmp.Or(max(cfg.MaxItems, 0), 256)
	s := &Server{
		cfg:      cfg,
		unknown:  newSecrets(secret()),
		conns:    map[*session]bool{},
		accounts: map[string]*account{},
		services: map[string]*service{},
		caps:     map[string]capsInfo{},
	}
	for _, label := range append([]string{"pubsub"}, cfg.Services...) {
		name, err := jid.New("", label+"."+cfg.Domain, "")
		if err != nil {
			return nil, fmt.Errorf("mem: %q cannot be a part of a domain: %w", label, err)
		}
		s.services[name.String()] = newService(name.String(), "", cfg.MaxItems)
	}
	for localpart, password := range cfg.Accounts {
		if err := s.AddAccount(localpart, password); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// AddAccount creates the account localpart@domain. It fails if the account exists,
// the name is not a localpart, or the password is empty.
func (s *Server) AddAccount(localpart, password string) error {
	j, err := jid.New(localpart, s.cfg.Domain, "")
	if err != nil || localpart == "" {
		return fmt.Errorf("mem: %q cannot be the localpart of an account: %w", localpart, err)
	}
	if password == "" {
		return fmt.Errorf("mem: the account %s needs a password", j)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	bare := j.String()
	if s.accounts[bare] != nil {
		return fmt.Errorf("mem: the account %s exists already", bare)
	}
	s.accounts[bare] = &account{bare: bare, secrets: newSecrets(password), sessions: map[string]*session{}, pam: newPAMList(),
		archive: newArchive(s.cfg.ArchiveSize), contacts: map[string]bool{}, like: s.cfg.Personality}
	s.services[bare] = newService(bare, bare, s.cfg.MaxItems)
	return nil
}

// ServeHTTP is the WebSocket endpoint. A request that does not offer the subprotocol "xmpp" is refused with 400 (RFC 7395 §3.1).
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "" && !offersXMPP(r.Header) {
		http.Error(w, "the WebSocket subprotocol xmpp must be offered (RFC 7395 §3.1)", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	if s.stopped() {
		s.mu.Unlock()
		http.Error(w, "the server is closed", http.StatusServiceUnavailable)
		return
	}
	s.running.Add(1)
	s.mu.Unlock()
	defer s.running.Done()

	ws, err := websocket.Accept(noEOFResponse{w}, r, &websocket.AcceptOptions{Subprotocols: []string{"xmpp"}, InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered the request
	}
	newSession(s, ws, r.RemoteAddr).run()
}

func (s *Server) pubsubJID() string { return "pubsub." + s.cfg.Domain }

// hosts reports whether a domain is this server's or that of one of its services.
func (s *Server) hosts(domain string) bool {
	return domain == s.cfg.Domain || s.services[domain] != nil
}

// after runs f when the reply to the request that is being handled has been sent.
func (s *Server) after(f func()) { s.later = append(s.later, f) }

// account returns the account with a bare JID or localpart, or nil.
func (s *Server) account(name string) *account {
	if !strings.Contains(name, "@") {
		name += "@" + s.cfg.Domain
	}
	return s.accounts[name]
}

// newID returns an id that is unique on this server.
func (s *Server) newID(prefix string) string {
	s.serial++
	return fmt.Sprintf("%s%d-%s", prefix, s.serial, secret()[:6])
}

func offersXMPP(h http.Header) bool {
	for _, v := range h.Values("Sec-WebSocket-Protocol") {
		for name := range strings.SplitSeq(v, ",") {
			if strings.TrimSpace(name) == "xmpp" {
				return true
			}
		}
	}
	return false
}

// deadline is the timeout of the answers to <close/> and to the WebSocket close
// frame.
const deadline = time.Second
