package mem

import (
	"encoding/xml"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxMessage = 256 << 10 // bytes of one WebSocket message from a client
	maxDepth   = 100       // elements within elements
)

const (
	nsXML   = "http://www.w3.org/XML/1998/namespace"
	nsXMLNS = "http://www.w3.org/2000/xmlns/"
)

// streamError is a fatal error: a condition of RFC 6120 §4.9.3 and a description for
// the log.
type streamError struct {
	cond string
	text string
}

func (e *streamError) Error() string { return e.cond + ": " + e.text }

func fault(cond, text string) *streamError { return &streamError{cond, text} }

// parse reads one WebSocket message, which must be exactly one XML element (RFC 7395 §3.3.3) within the subset of XML that XMPP
// allows (RFC 6120 §11.1): no declaration, comment, processing instruction or document type, all prefixes declared, no attribute twice.
func parse(msg []byte) (*elem, *streamError) {
	switch {
	case !utf8.Valid(msg):
		return nil, fault("unsupported-encoding", "the message is not UTF-8")
	case len(msg) == 0 || msg[0] != '<':
		return nil, fault("bad-format", "the first character of a message must be '<' (RFC 7395 §3.3.3)")
	}
	if err := checkReferences(string(msg)); err != nil {
		return nil, err
	}
	p := parser{msg: msg, dec: xml.NewDecoder(strings.NewReader(string(msg)))}
	return p.run()
}

type parser struct {
	msg   []byte
	dec   *xml.Decoder
	root  *elem
	stack []open
}

// open is an element whose end tag has not been read: its name as written, and the
// prefixes it declares.
type open struct {
	e      *elem
	name   xml.Name
	scopes map[string]string
}

func (p *parser) run() (*elem, *streamError) {
	for {
		start := p.dec.InputOffset()
		tok, err := p.dec.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fault("not-well-formed", err.Error())
		}
		if fe := p.token(tok, p.msg[start:p.dec.InputOffset()]); fe != nil {
			return nil, fe
		}
	}
	if p.root == nil || len(p.stack) > 0 {
		return nil, fault("not-well-formed", "the message ends inside an element")
	}
	return p.root, nil
}

func (p *parser) token(tok xml.Token, raw []byte) *streamError {
	switch t := tok.(type) {
	case xml.StartElement:
		return p.start(t, string(raw))
	case xml.EndElement:
		if len(p.stack) == 0 || p.stack[len(p.stack)-1].name != t.Name {
			return fault("not-well-formed", "the end tag "+t.Name.Local+" closes nothing")
		}
		p.stack = p.stack[:len(p.stack)-1]
	case xml.CharData:
		if len(p.stack) > 0 {
			top := p.stack[len(p.stack)-1].e
			top.kids = append(top.kids, string(t))
		} else if strings.Trim(string(t), " \t\r\n") != "" {
			return fault("not-well-formed", "text outside the element")
		}
	case xml.ProcInst:
		if t.Target == "xml" {
			return fault("bad-format", "a message carries no XML declaration here (RFC 7395 §3.3.3)")
		}
		return fault("restricted-xml", "processing instructions are not allowed (RFC 6120 §11.1)")
	default:
		return fault("restricted-xml", "comments and document types are not allowed (RFC 6120 §11.1)")
	}
	return nil
}

func (p *parser) start(t xml.StartElement, raw string) *streamError {
	switch {
	case len(p.stack) == 0 && p.root != nil:
		return fault("bad-format", "one message holds one element, here is a second (RFC 7395 §3.3.3)")
	case len(p.stack) >= maxDepth:
		return fault("policy-violation", "elements are nested too deeply")
	case !spacedAttributes(raw):
		return fault("not-well-formed", "white space is missing between attributes")
	}
	o := open{name: t.Name, scopes: map[string]string{}}
	for _, a := range t.Attr {
		if err := o.declare(a); err != nil {
			return err
		}
	}
	p.stack = append(p.stack, o)

	e := &elem{}
	var ok bool
	if e.space, e.local, ok = p.resolve(t.Name, true); !ok {
		return fault("not-well-formed", "the prefix of "+t.Name.Space+":"+t.Name.Local+" is not declared")
	}
	for _, a := range t.Attr {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		space, local, ok := p.resolve(a.Name, false)
		if !ok {
			return fault("not-well-formed", "the prefix of attribute "+a.Name.Space+":"+a.Name.Local+" is not declared")
		}
		for _, b := range e.attrs {
			if b.space == space && b.local == local {
				return fault("not-well-formed", "the attribute "+local+" is given twice")
			}
		}
		e.attrs = append(e.attrs, attr{space, local, a.Value})
	}
	p.stack[len(p.stack)-1].e = e
	if len(p.stack) == 1 {
		p.root = e
	} else {
		up := p.stack[len(p.stack)-2].e
		up.kids = append(up.kids, e)
	}
	return nil
}

// declare records a if it is a namespace declaration (Namespaces in XML 1.0 §3).
func (o *open) declare(a xml.Attr) *streamError {
	prefix := a.Name.Local
	switch {
	case a.Name.Space == "" && prefix == "xmlns":
		prefix = ""
	case a.Name.Space != "xmlns":
		return nil
	case a.Value == "":
		return fault("not-well-formed", "the prefix "+prefix+" is bound to nothing")
	}
	if _, twice := o.scopes[prefix]; twice {
		return fault("not-well-formed", "a namespace is declared twice")
	}
	if prefix == "xmlns" || a.Value == nsXMLNS || (prefix == "xml") != (a.Value == nsXML) {
		return fault("not-well-formed", "xml and xmlns are reserved")
	}
	o.scopes[prefix] = a.Value
	return nil
}

func (p *parser) resolve(n xml.Name, element bool) (space, local string, ok bool) {
	if n.Local == "" || strings.Contains(n.Local, ":") {
		return "", "", false
	}
	if n.Space == "xml" {
		return nsXML, n.Local, true
	}
	if n.Space == "" && !element {
		return "", n.Local, true // an attribute without prefix is in no namespace
	}
	for i := len(p.stack) - 1; i >= 0; i-- {
		if uri, found := p.stack[i].scopes[n.Space]; found {
			return uri, n.Local, true
		}
	}
	return "", n.Local, n.Space == ""
}

// spacedAttributes detects missing space between attributes, which encoding/xml
// accepts: <a b='1'c='2'/>.
func spacedAttributes(tag string) bool {
	var quote byte
	for i := 0; i < len(tag); i++ {
		switch c := tag[i]; {
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
			if i+1 < len(tag) && !strings.ContainsRune(" \t\r\n/>", rune(tag[i+1])) {
				return false
			}
		}
	}
	return true
}

// checkReferences rejects numeric references to characters that XML does not allow.
// encoding/xml replaces references to surrogates by U+FFFD.
func checkReferences(s string) *streamError {
	for i := 0; i < len(s); i++ {
		rest := s[i:]
		if after, ok := strings.CutPrefix(rest, "<![CDATA["); ok {
			end := strings.Index(after, "]]>")
			if end < 0 {
				return nil // the decoder reports the error
			}
			i += len(rest) - len(after) + end + 2
			continue
		}
		ref, ok := strings.CutPrefix(rest, "&#")
		if !ok {
			continue
		}
		ref, _, ok = strings.Cut(ref[:min(len(ref), 12)], ";")
		base := 10
		if hex, isHex := strings.CutPrefix(ref, "x"); isHex {
			ref, base = hex, 16
		}
		n, err := strconv.ParseUint(ref, base, 32)
		if !ok || err != nil || !isXMLChar(rune(n)) {
			return fault("not-well-formed", "a numeric reference names no XML character")
		}
	}
	return nil
}

func isXMLChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}
