package mem

// Close ends all sessions with the stream error system-shutdown and waits until all
// goroutines of the server have ended, which takes at most about a second. The server
// accepts no connection afterwards. The error is always nil.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.endAll()
	s.mu.Unlock()
	s.running.Wait()
	return nil
}

// Restart ends all sessions as Close does, so that none can be resumed, and returns
// when their connections are closed. Accounts, nodes, lists and archives stay. New
// connections are refused with 503 until it returns.
func (s *Server) Restart() {
	s.mu.Lock()
	s.down++
	ended := s.endAll()
	s.mu.Unlock()
	for _, c := range ended {
		<-c.done
	}
	s.mu.Lock()
	s.down--
	s.mu.Unlock()
}

// stopped reports whether the server accepts no connections now.
func (s *Server) stopped() bool { return s.closed || s.down > 0 }

// endAll ends all sessions, also the hibernating ones, and returns those that have a
// connection.
func (s *Server) endAll() []*session {
	var connected []*session
	for c := range s.conns {
		c.end("system-shutdown")
		connected = append(connected, c)
	}
	for _, a := range s.accounts {
		for _, c := range a.sessions {
			c.forget()
		}
	}
	return connected
}
