package prosody

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
)

// AddAccount registers an account, or sets the password of an existing one.
func (s *Server) AddAccount(localpart, password string) error {
	return s.call(context.Background(), "account", arguments{"localpart": localpart, "password": password})
}

// CreateNode creates a node at the publish-subscribe service. The access model is "open" (the default if
// access is empty) or "whitelist".
func (s *Server) CreateNode(node, accessModel string) error {
	if accessModel == "" {
		accessModel = "open"
	}
	return s.call(context.Background(), "node", arguments{"node": node, "access_model": accessModel})
}

// Publish publishes an item, in the name of the service, to an existing node. The payload is one XML
// element.
func (s *Server) Publish(node, itemID, payloadXML string) error {
	return s.call(context.Background(), "publish", arguments{"node": node, "item": itemID, "payload": payloadXML})
}

// EndSession ends the session with this full JID, if there is one, as if its time for resumption
// (XEP-0198) had passed. It closes the connection of the session.
func (s *Server) EndSession(fullJID string) error {
	return s.call(context.Background(), "end_session", arguments{"jid": fullJID})
}

// Subscriptions returns the nodes of the publish-subscribe service to which an account is subscribed, in no order.
func (s *Server) Subscriptions(localpart string) ([]string, error) {
	var answer struct{ Nodes []string }
	err := s.ask(context.Background(), "subscriptions", arguments{"localpart": localpart}, &answer)
	return answer.Nodes, err
}

// perCall is the number of changes that Subscribe makes with one command, which blocks Prosody meanwhile.
const perCall = 2500

// Subscribe subscribes an account to nodes of the publish-subscribe service, which it creates if they do not
// exist, and ends other subscriptions, without requests of the account. It is fast for thousands of nodes.
// The account's list changes as if the account had made requests, except that one version has many changes.
// After an error a part of the changes was made.
func (s *Server) Subscribe(localpart string, subscribe, unsubscribe []string) error {
	change := func(subscribe, unsubscribe []string) error {
		return s.call(context.Background(), "subscribe", arguments{"localpart": localpart, "subscribe": subscribe, "unsubscribe": unsubscribe})
	}
	for nodes := range slices.Chunk(subscribe, perCall) {
		if err := change(nodes, []string{}); err != nil {
			return err
		}
	}
	for nodes := range slices.Chunk(unsubscribe, perCall) {
		if err := change([]string{}, nodes); err != nil {
			return err
		}
	}
	return nil
}

type arguments map[string]any

// call runs a command of mod_pam_control.
func (s *Server) call(ctx context.Context, command string, with arguments) error {
	return s.ask(ctx, command, with, nil)
}

// ask runs a command that has an answer.
func (s *Server) ask(ctx context.Context, command string, with arguments, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	body, err := json.Marshal(with)
	if err != nil {
		return fmt.Errorf("prosody: %s: %w", command, err)
	}
	url := fmt.Sprintf("http://127.0.0.1:%d/pam-control/%s", s.port, command)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("prosody: %s: %w", command, err)
	}
	request.Host = service
	request.Header.Set("Authorization", "Bearer "+s.secret)
	response, err := s.http.Do(request)
	if err != nil {
		return fmt.Errorf("prosody: %s: the server does not answer: %w", command, err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusNoContent:
		return nil
	case http.StatusOK:
		if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
			return fmt.Errorf("prosody: the answer to %s is not valid: %w", command, err)
		}
		return nil
	}
	reason, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
	shown := maps.Clone(with)
	delete(shown, "password")
	return fmt.Errorf("prosody: %s %.200s is refused: %s: %s", command, fmt.Sprint(shown), response.Status, reason)
}
