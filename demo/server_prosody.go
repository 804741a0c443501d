package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"xmpp-pam/sdk/server/prosody"
)

// A prosodyServer is a Prosody process with a temporary folder, which runs as long
// as the demo.
type prosodyServer struct {
	*prosody.Server
	catalogue
	proxy http.Handler
	gone  chan error
	watch sync.WaitGroup

	life context.Context // ends when the server is closed
	end  context.CancelFunc

	up sync.Mutex // held by Restart, so that waitUntilGone does not look meanwhile
}

func newProsodyServer(ctx context.Context, accounts []account) (*prosodyServer, error) {
	if err := prosody.Available(); err != nil {
		return nil, err
	}
	p, err := prosody.Start(ctx, prosody.Config{Accounts: passwords(accounts), MaxSubscriptions: 2 * maxFeeds})
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(p.URL())
	if err != nil {
		p.Close()
		return nil, err
	}
	target.Scheme = strings.Replace(target.Scheme, "ws", "http", 1)
	s := &prosodyServer{
		Server:    p,
		catalogue: catalogue{accounts: accounts},
		gone:      make(chan error, 1),
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL = target
			r.Out.Host = target.Host
			r.Out.Header.Del("Origin") // the device has checked it, and Prosody does not accept it
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "Prosody does not answer: "+err.Error(), http.StatusBadGateway)
		},
	}
	s.watch.Go(func() { s.waitUntilGone(target.Host) })
	return s, nil
}

// watchInterval is the time between two attempts of waitUntilGone.
var watchInterval = 2 * time.Second

// waitUntilGone connects to Prosody's port repeatedly, and reports that Prosody has
// ended when two consecutive attempts fail.
func (s *prosodyServer) waitUntilGone(addr string) {
	for failed := 0; ; {
		select {
		case <-s.life.Done():
			return
		case <-time.After(watchInterval):
		}
		if s.answers(addr) {
			failed = 0
		} else if failed++; failed == 2 {
			lines := strings.Split(strings.TrimSpace(s.Server.Log()), "\n")
			s.gone <- fmt.Errorf("the Prosody process has ended; start the demo again. The end of its log:\n%s", strings.Join(lines[max(0, len(lines)-8):], "\n"))
			return
		}
	}
}

func (s *prosodyServer) answers(addr string) bool {
	s.up.Lock()
	defer s.up.Unlock()
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// Restart stops the process and starts it again. If that fails, it is not started any
// more, and waitUntilGone reports that.
func (s *prosodyServer) Restart() error {
	s.up.Lock()
	defer s.up.Unlock()
	return s.Server.Restart(s.life)
}

func (s *prosodyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.proxy.ServeHTTP(w, r) }

func (s *prosodyServer) About() serverInfo {
	return serverInfo{Kind: "prosody", Name: s.Version(), PAM: "by our mod_pam"}
}

func (s *prosodyServer) AddAccount(name, password string) error {
	return s.account(account{name, password}, s.Server.AddAccount(name, password))
}

func (s *prosodyServer) CreateNode(name, access string) error {
	return s.node(newNode(name, access), s.Server.CreateNode(name, access))
}

func (s *prosodyServer) Register(name, password string) error {
	return s.Server.AddAccount(name, password)
}

func (s *prosodyServer) Following(account string) ([]string, error) {
	return s.Subscriptions(account)
}

func (s *prosodyServer) Follow(account string, follow, unfollow []string) error {
	return s.Subscribe(account, follow, unfollow)
}

func (s *prosodyServer) Log() any           { return s.Server.Log() }
func (s *prosodyServer) Gone() <-chan error { return s.gone }

func (s *prosodyServer) Close() error {
	s.end()
	s.watch.Wait()
	return s.Server.Close()
}
