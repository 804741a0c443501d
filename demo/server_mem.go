package main

import "xmpp-pam/sdk/server/mem"

// A memServer is the in-memory server of this repository. Unlike the others, it lets
// tests inspect its state and delay its messages.
type memServer struct {
	*mem.Server
	catalogue
}

func newMemServer(accounts []account) (*memServer, error) {
	s, err := mem.New(mem.Config{Domain: domain, Accounts: passwords(accounts), Archive: true, RSM: true})
	if err != nil {
		return nil, err
	}
	return &memServer{Server: s, catalogue: catalogue{accounts: accounts}}, nil
}

func (s *memServer) About() serverInfo {
	return serverInfo{Kind: "mem", Name: "in-memory server", PAM: "built in"}
}

func (s *memServer) AddAccount(name, password string) error {
	return s.account(account{name, password}, s.Server.AddAccount(name, password))
}

func (s *memServer) CreateNode(name, access string) error {
	return s.node(newNode(name, access), s.Server.CreateNode(name, access))
}

func (s *memServer) Register(name, password string) error {
	return s.Server.AddAccount(name, password)
}

func (s *memServer) Following(account string) ([]string, error) {
	list, _ := s.Subscriptions(account)
	var nodes []string
	for _, row := range list {
		if row.Service == pubsubService {
			nodes = append(nodes, row.Node)
		}
	}
	return nodes, nil
}

func (s *memServer) Follow(account string, follow, unfollow []string) error {
	for _, node := range follow {
		if _, err := s.Items("", node); err != nil {
			if err := s.Server.CreateNode(node, "open"); err != nil {
				return err
			}
		}
		if err := s.SetSubscription(account, node, "subscribed"); err != nil {
			return err
		}
	}
	for _, node := range unfollow {
		if err := s.SetSubscription(account, node, "none"); err != nil {
			return err
		}
	}
	return nil
}

func (s *memServer) EndSession(jid string) error {
	s.ExpireSession(jid)
	return nil
}

func (s *memServer) Restart() error {
	s.Server.Restart()
	return nil
}

func (s *memServer) Gone() <-chan error { return nil }
