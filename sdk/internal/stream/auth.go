package stream

import (
	"encoding/base64"
	"strings"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/sasl"
)

// authenticate starts the strongest common mechanism (RFC 6120 §6.4.2).
func (s *Stream) authenticate(in Credentials) {
	switch {
	case in.Err != nil:
		s.end(&Error{Code: CodeAborted, Text: "No password was given: " + in.Err.Error() + ".", Err: in.Err})
		return
	case in.Password == "":
		s.end(&Error{Code: CodeAborted, Text: "No password was given."})
		return
	}
	mechanism, err := sasl.New(s.mechanisms[0], sasl.Credentials{
		Username: s.cfg.Account.Localpart(), Password: in.Password, Nonce: s.cfg.Nonce})
	if err != nil {
		s.end(authError(err))
		return
	}
	initial, err := mechanism.Start()
	if err != nil {
		s.end(authError(err))
		return
	}
	s.mechanism = mechanism
	s.phase = authenticating
	s.setDeadline(negotiationTime)
	s.writeSecret(element.New(ns.SASL, "auth").Set("mechanism", mechanism.Name()), initial)
}

// answer handles the server's SASL elements (RFC 6120 §6.4.3 to §6.4.6).
func (s *Stream) answer(e *element.Element) {
	switch {
	case e.Is(ns.SASL, "challenge"):
		s.challenge(e)
	case e.Is(ns.SASL, "success"):
		s.success(e)
	case e.Is(ns.SASL, "failure"):
		s.end(failure(e))
	default:
		s.unexpected(e)
	}
}

func (s *Stream) challenge(e *element.Element) {
	var response []byte
	var need *sasl.Derivation
	challenge, err := decodeSASL(e.Text())
	if err == nil {
		response, need, err = s.mechanism.Next(challenge)
	}
	if need != nil {
		s.phase = deriving
		s.setDeadline(0)
		s.emit(Derive{*need})
		return
	}
	s.respond(response, err)
}

// duringDerivation handles a message that arrives while the key is derived. The server
// may end the authentication after a timeout; anything else is a protocol violation.
func (s *Stream) duringDerivation(e *element.Element) {
	if e.Is(ns.SASL, "failure") {
		s.end(failure(e))
		return
	}
	s.unexpected(e)
}

// derived continues the authentication with the key.
func (s *Stream) derived(in Derived) {
	if in.Err != nil {
		s.write(element.New(ns.SASL, "abort"))
		s.end(&Error{Code: CodeTimeout, Text: "The login key was not derived from the password: " + in.Err.Error() + ".", Retry: true, Err: in.Err})
		return
	}
	s.phase = authenticating
	s.setDeadline(negotiationTime)
	response, err := s.mechanism.Derived(in.Key)
	s.respond(response, err)
}

// respond answers a challenge, or aborts an authentication that failed on this side.
func (s *Stream) respond(response []byte, err error) {
	if err != nil {
		s.write(element.New(ns.SASL, "abort"))
		s.end(authError(err))
		return
	}
	s.writeSecret(element.New(ns.SASL, "response"), response)
}

// success restarts the stream if the mechanism accepts the server's success. The
// authentication cannot be aborted any more, because the server has completed it.
func (s *Stream) success(e *element.Element) {
	data, err := decodeSASL(e.Text())
	if err == nil {
		err = s.mechanism.Finish(data)
	}
	if err != nil {
		s.end(authError(err))
		return
	}
	s.authenticated = true
	s.emit(Authenticated{s.mechanism.Name()})
	s.mechanism = nil
	s.open()
}

// writeSecret sends SASL data; empty data is sent as "=" (RFC 6120 §6.4.2).
func (s *Stream) writeSecret(e *element.Element, data []byte) {
	text := "="
	if len(data) > 0 {
		text = base64.StdEncoding.EncodeToString(data)
	}
	s.emit(Write{Text: e.AddText(text).String(), Secret: true})
}

// decodeSASL decodes SASL data; encoding/base64 alone would skip line breaks,
// which RFC 6120 §6.4 does not allow.
func decodeSASL(text string) ([]byte, error) {
	if text == "=" {
		return nil, nil
	}
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, &sasl.Error{Kind: sasl.KindChallenge, Text: "The server sent login data that is not base64."}
	}
	return data, nil
}
