package pubsub

import (
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"xmpp-pam/sdk/internal/element"
)

const ellipsis = "…" // after a text that was too long

// A textWriter makes plain text of at most most bytes. It collapses white space. If lines
// is set, it keeps line breaks, and at most one empty line; else they become spaces.
type textWriter struct {
	most   int
	lines  bool
	b      []byte
	space  bool // the next character needs a space before it
	breaks int  // or so many line breaks
	full   bool
}

// String returns the text without white space at its ends. A text that was too long ends
// in an ellipsis.
func (t *textWriter) String() string { return string(t.b) }

// text writes plain text.
func (t *textWriter) text(s string) {
	for line := range strings.SplitSeq(s, "\n") {
		t.inline(line)
		t.breakLine(t.breaks + 1)
	}
}

// rune writes one character, of which a line break is only white space.
func (t *textWriter) rune(r rune) {
	switch {
	case t.full:
		return
	case unicode.IsSpace(r):
		t.space = true
		return
	case unicode.IsControl(r):
		return
	}
	before := len(t.b)
	if before > 0 {
		switch {
		case t.breaks > 0 && t.lines:
			t.b = append(t.b, "\n\n"[:min(t.breaks, 2)]...)
		case t.breaks > 0 || t.space:
			t.b = append(t.b, ' ')
		}
	}
	t.space, t.breaks = false, 0
	t.b = utf8.AppendRune(t.b, r)
	if len(t.b) > t.most-len(ellipsis) {
		t.full = true
		t.b = append(t.b[:before], ellipsis...)
	}
}

// breakLine makes the next character follow at least n line breaks.
func (t *textWriter) breakLine(n int) { t.breaks = max(t.breaks, n) }

// xhtml writes the text of the children of an element (RFC 4287 §3.1.1.3).
func (t *textWriter) xhtml(e *element.Element) {
	for _, n := range e.Children {
		if t.full {
			return
		}
		if n.Element == nil {
			t.inline(n.Text)
			continue
		}
		name := strings.ToLower(n.Element.Name.Local)
		t.tag(name)
		if !hasNoText(name) {
			t.xhtml(n.Element)
		}
		if name != "br" {
			t.tag(name)
		}
	}
}

// inline writes text in which line breaks are only white space.
func (t *textWriter) inline(s string) {
	for s != "" && !t.full {
		r, size := utf8.DecodeRuneInString(s)
		t.rune(r)
		if s = s[size:]; size > 1 || t.space || t.breaks > 0 || t.full {
			continue
		}
		n := word(s[:min(len(s), t.most-len(ellipsis)-len(t.b))])
		t.b = append(t.b, s[:n]...)
		s = s[n:]
	}
}

// word returns how many bytes at the beginning of s are printable ASCII characters.
func word(s string) int {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return i
		}
	}
	return len(s)
}

// tag writes the line breaks before and after an element of HTML.
func (t *textWriter) tag(name string) {
	switch name {
	case "br":
		t.breakLine(t.breaks + 1)
	case "p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "figure", "table", "hr":
		t.breakLine(2)
	case "div", "ul", "ol", "li", "dl", "dt", "dd", "tr", "section", "article", "header", "footer", "figcaption":
		t.breakLine(1)
	case "td", "th":
		t.space = true
	}
}

// hasNoText reports whether what an element of HTML contains is not text to be read.
func hasNoText(name string) bool {
	switch name {
	case "script", "style", "template", "iframe", "object", "svg", "math", "head", "noscript", "select", "textarea":
		return true
	}
	return false
}

// html writes the text of HTML (RFC 4287 §3.1.1.2). It never fails: what is not a tag or
// a character reference is text, as in browsers, and a tag or comment that does not end
// ends with the text.
func (t *textWriter) html(s string) {
	for s != "" && !t.full {
		at := strings.IndexByte(s, '<')
		if at < 0 {
			at = len(s)
		}
		t.references(s[:at])
		if s = s[at:]; s == "" {
			return
		}
		switch name, closes, rest := htmlTag(s); {
		case len(rest) == len(s): // only a character
			t.rune('<')
			s = s[1:]
		case !closes && hasNoText(name):
			s = afterElement(rest, name)
		default:
			t.tag(name)
			s = rest
		}
	}
}

// htmlTag reads the tag, comment or declaration at the start of s. name is empty for
// comments and declarations. If s begins with none of them, rest is s.
func htmlTag(s string) (name string, closes bool, rest string) {
	at := 1
	switch {
	case strings.HasPrefix(s, "<!--"):
		return "", false, after(s, "-->")
	case strings.HasPrefix(s, "<!"), strings.HasPrefix(s, "<?"):
		return "", false, after(s, ">")
	case strings.HasPrefix(s, "</"):
		at, closes = 2, true
	}
	end := at
	for end < len(s) && strings.IndexByte(" \t\r\n\f/>", s[end]) < 0 {
		end++
	}
	if c := s[at:end]; c == "" || lower(c[0]) < 'a' || lower(c[0]) > 'z' {
		return "", false, s
	}
	name = strings.ToLower(s[at:min(end, at+16)]) // longer than the names that matter
	for value := false; end < len(s) && s[end] != '>'; end++ {
		switch c := s[end]; c {
		case '=':
			value = true
		case ' ', '\t', '\r', '\n', '\f':
		case '"', '\'':
			if value {
				n := strings.IndexByte(s[end+1:], c)
				if n < 0 {
					return name, closes, ""
				}
				end += n + 1
			}
			value = false
		default:
			value = false
		}
	}
	return name, closes, s[min(end+1, len(s)):]
}

// after returns what follows the first end in s, or "".
func after(s, end string) string {
	_, rest, _ := strings.Cut(s, end)
	return rest
}

// afterElement returns what follows the end tag of an element.
func afterElement(s, name string) string {
	for {
		at := strings.Index(s, "</")
		if at < 0 {
			return ""
		}
		s = s[at:]
		if end := 2 + len(name); len(s) > end && strings.EqualFold(s[2:end], name) && strings.IndexByte(" \t\r\n\f/>", s[end]) >= 0 {
			return after(s, ">")
		}
		s = s[2:]
	}
}

// references writes text with character references.
func (t *textWriter) references(s string) {
	for s != "" && !t.full {
		at := strings.IndexByte(s, '&')
		if at < 0 {
			at = len(s)
		}
		t.inline(s[:at])
		if s = s[at:]; s == "" {
			return
		}
		r, size := reference(s)
		t.rune(r)
		s = s[size:]
	}
}

// reference decodes the character reference at the start of s, which begins with '&'. If
// there is none, it is the character itself. Names are those of HTML 4 without the
// mathematical and Greek ones.
func reference(s string) (r rune, size int) {
	const longest = 10
	end := strings.IndexByte(s[:min(len(s), longest)], ';')
	if end < 2 {
		return '&', 1
	}
	name := s[1:end]
	if name[0] != '#' {
		if r, ok := entities()[name]; ok {
			return r, end + 1
		}
		return '&', 1
	}
	digits, base := name[1:], 10
	if digits != "" && lower(digits[0]) == 'x' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil {
		return '&', 1
	}
	return rune(n), end + 1 // if it is not valid, it is written as U+FFFD
}

// entities returns the named characters.
var entities = sync.OnceValue(func() map[string]rune {
	m := map[string]rune{}
	r := rune(0xA0)
	for name := range strings.FieldsSeq(latin1) {
		m[name] = r
		r++
	}
	start := 0
	for i, r := range named {
		if l := r | 0x20; l < 'a' || l > 'z' {
			m[named[start:i]] = r
			start = i + utf8.RuneLen(r)
		}
	}
	return m
})

// named holds names of other characters, each before its character.
const named = "amp&lt<gt>quot\"apos'ndash–mdash—lsquo‘rsquo’sbquo‚ldquo“rdquo”bdquo„hellip…bull•euro€trade™" +
	"lsaquo‹rsaquo›larr←rarr→OEligŒoeligœScaronŠscaronšYumlŸminus−prime′Prime″permil‰ensp\u2002emsp\u2003thinsp\u2009"

// latin1 holds the names of the characters from U+00A0 to U+00FF.
const latin1 = `nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute
micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil
Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute
Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute
icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml`
