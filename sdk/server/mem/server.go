// Package mem is an XMPP server in memory, to develop and test against. It speaks XMPP over WebSocket (RFC 7395), has accounts with
// several sessions, which survive a lost connection (XEP-0198), a pubsub service (XEP-0060), personal nodes (XEP-0163, explicit
// subscriptions only) and Pubsub Account Management (XEP-0376), and it can be steered from a test: cut a connection, forget a session,
// hold messages back, send anything at all.
//
// It shares no code with the client of this module: it has its own XML parser, its own SASL and its own vocabulary, so that a
// mistake made on one side is seen by the other. It is strict with what it is sent.
//
// All state is guarded by one mutex, and whatever is sent is queued while that mutex is held. So each session sees stanzas in the
// order in which things happened: a list reply neither overtakes a live notify nor is overtaken by one.
//
// What it does not have: TLS, server-to-server links, rosters, offline storage, and archives (XEP-0313).
package mem

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"mellium.im/xmpp/jid"
)

// Config says what a new server is. The zero value serves "localhost" without accounts.
type Config struct {
	Domain     string            // default "localhost"
	Accounts   map[string]string // localpart → password
	Mechanisms []string          // SASL mechanisms offered, default SCRAM-SHA-512, SCRAM-SHA-256, SCRAM-SHA-1, PLAIN, in this order
	DisablePAM bool              // do not advertise or answer XEP-0376
	History    int               // PAM changes per account for which an older version is answered with a delta, default 500
	DisableSM  bool              // do not offer stream management (XEP-0198), and end the stream of who uses it
	ResumeFor  time.Duration     // how long a session without a connection can be resumed, default a minute
	SMLocation string            // where clients are told to resume, as host:port (XEP-0198 §5); not said if empty

	Personality Personality // how XEP-0376 is read
}

// Server is the whole server. It is an http.Handler: the WebSocket endpoint. All methods may be called from several goroutines.
type Server struct {
	cfg    Config
	nobody map[string]credential // keys for accounts that do not exist, so that they fail like a wrong password

	mu       sync.Mutex
	closed   bool
	conns    map[*session]bool
	accounts map[string]*account // by bare JID
	services map[string]*service // by JID: the pubsub service, and one per account
	caps     map[string]bool     // caps hash → advertises PAM
	holds    []*hold
	serial   int // names what the server makes: ids, items, nodes
	running  sync.WaitGroup

	logMu   sync.Mutex
	log     []Frame
	observe func(Frame)
}

type account struct {
	bare     string
	creds    map[string]credential
	sessions map[string]*session // bound ones, by resource; hibernating ones too
	ended    []ended             // the last sessions that could have been resumed, and were not
	pam      *pamList
	like     Personality
	quiet    bool // nobody is notified of what changes now
	outrank  int  // see Outrank
}

// New makes a server. It fails if the domain or an account name is no valid part of a JID, or a mechanism is unknown.
// Close it when done. It accepts WebSockets from any Origin and passwords without TLS: it is meant for loopback only.
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
	nobody, err := newCredentials(secret())
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg:      cfg,
		nobody:   nobody,
		conns:    map[*session]bool{},
		accounts: map[string]*account{},
		services: map[string]*service{},
		caps:     map[string]bool{},
	}
	s.services[s.pubsubJID()] = newService(s.pubsubJID(), "")
	for localpart, password := range cfg.Accounts {
		if err := s.AddAccount(localpart, password); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// AddAccount makes the account localpart@domain. It fails if it exists, or the name is no localpart, or the password is empty.
func (s *Server) AddAccount(localpart, password string) error {
	j, err := jid.New(localpart, s.cfg.Domain, "")
	if err != nil || localpart == "" {
		return fmt.Errorf("mem: %q cannot be the localpart of an account: %w", localpart, err)
	}
	if password == "" {
		return fmt.Errorf("mem: the account %s needs a password", j)
	}
	creds, err := newCredentials(password)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	bare := j.String()
	if s.accounts[bare] != nil {
		return fmt.Errorf("mem: the account %s exists already", bare)
	}
	s.accounts[bare] = &account{bare: bare, creds: creds, sessions: map[string]*session{}, pam: newPAMList(), like: s.cfg.Personality}
	s.services[bare] = newService(bare, bare)
	return nil
}

// ServeHTTP is the WebSocket endpoint. A request that does not offer the subprotocol "xmpp" is refused with 400 (RFC 7395 §3.1).
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "" && !offersXMPP(r.Header) {
		http.Error(w, "the WebSocket subprotocol xmpp must be offered (RFC 7395 §3.1)", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		http.Error(w, "the server is closed", http.StatusServiceUnavailable)
		return
	}
	s.running.Add(1)
	s.mu.Unlock()
	defer s.running.Done()

	ws, err := websocket.Accept(wholeMessages{w}, r, &websocket.AcceptOptions{Subprotocols: []string{"xmpp"}, InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered the request
	}
	newSession(s, ws, r.RemoteAddr).run()
}

// Close ends all sessions with the stream error system-shutdown and waits until nothing of the server is running any more,
// which takes at most about a second. No connection is accepted afterwards. The error is always nil.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		c.end("system-shutdown")
	}
	for _, a := range s.accounts {
		for _, c := range a.sessions { // what is left hibernates
			c.finish(false)
		}
	}
	s.mu.Unlock()
	s.running.Wait()
	return nil
}

func (s *Server) pubsubJID() string { return "pubsub." + s.cfg.Domain }

// account finds an account by bare JID or by localpart; nil if there is none.
func (s *Server) account(name string) *account {
	if !strings.Contains(name, "@") {
		name += "@" + s.cfg.Domain
	}
	return s.accounts[name]
}

// newID makes an id that is unique on this server.
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

// deadline is how long a peer has to answer <close/> and the WebSocket close frame.
const deadline = time.Second
