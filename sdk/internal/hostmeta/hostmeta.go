package hostmeta

import (
	"errors"
	"strings"

	"xmpp-pam/sdk/internal/element"
)

// nsXRD is the namespace of host metadata in XML (RFC 6415 §3).
const nsXRD = "http://docs.oasis-open.org/ns/xri/xrd-1.0"

// readXRD parses the links of host metadata in XML. As in XMPP, the document must not
// have a document type or processing instructions; unlike in XMPP, it may have comments.
func readXRD(text string) ([]link, error) {
	root, err := element.Parse(strings.TrimSpace(withoutComments(text)), &element.PreAuthLimits)
	if err != nil {
		return nil, err
	}
	if !root.Is(nsXRD, "XRD") {
		return nil, errors.New("the document is no XRD")
	}
	var links []link
	for e := range root.Elements() {
		if e.Is(nsXRD, "Link") {
			links = append(links, link{e.Attr("rel"), e.Attr("href")})
		}
	}
	return links, nil
}

// withoutComments removes XML comments. It does not consider CDATA sections, which host
// metadata does not need.
func withoutComments(text string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "<!--")
		_, after, closed := strings.Cut(rest, "-->")
		if !found || !closed {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(before)
		text = after
	}
}

// readJRD parses the links of host metadata in JSON (RFC 6415 appendix A).
func readJRD(text string) ([]link, error) {
	value, err := readJSON(text)
	if err != nil {
		return nil, err
	}
	root, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("the document is no object")
	}
	list, _ := root["links"].([]any)
	var links []link
	for _, item := range list {
		object, _ := item.(map[string]any)
		rel, _ := object["rel"].(string)
		href, _ := object["href"].(string)
		links = append(links, link{rel, href})
	}
	return links, nil
}
