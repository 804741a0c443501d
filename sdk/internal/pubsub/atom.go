package pubsub

import (
	"strings"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// The maximum lengths of texts in an AtomEntry, in bytes; longer ones are shortened. A
// title is one line of a page, and a content is cut where a page shows a link to the
// whole of it. A URL that is longer is left out.
const (
	maxTitle   = 1 << 10
	maxSummary = 8 << 10
	maxContent = 64 << 10
	maxURL     = 4 << 10
	maxDataURL = 32 << 10 // an image that is in the URL itself
)

// ParseAtom decodes an Atom entry (RFC 4287 §4.1.2). It returns nil for any other element.
// All fields are plain text, and URLs are of a scheme that a page can follow without
// executing anything; what is invalid is left out.
func ParseAtom(entry *element.Element) *pam.AtomEntry {
	if !entry.Is(ns.Atom, "entry") {
		return nil
	}
	return &pam.AtomEntry{
		ID:        short(strings.TrimSpace(entry.Child(ns.Atom, "id").Text())),
		Title:     atomText(entry, "title", maxTitle, false),
		Summary:   atomText(entry, "summary", maxSummary, true),
		Content:   atomText(entry, "content", maxContent, true),
		Link:      alternate(entry),
		Image:     image(entry),
		Author:    author(entry),
		Published: parseTime(strings.TrimSpace(entry.Child(ns.Atom, "published").Text())),
		Updated:   parseTime(strings.TrimSpace(entry.Child(ns.Atom, "updated").Text())),
	}
}

// atomText returns the plain text of a text construct (RFC 4287 §3.1) or of the content
// (§4.1.3). An entry has one of each, but those of XEP-0277 repeat it with other types;
// the one in plain text is preferred.
func atomText(entry *element.Element, local string, most int, lines bool) (found string) {
	for e := range entry.Elements() {
		if !e.Is(ns.Atom, local) {
			continue
		}
		t := textWriter{most: most, lines: lines}
		kind, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(e.Attr("type"))), ";")
		plain := false
		switch {
		case e.Attr("src") != "": // the content is elsewhere (§4.1.3.2)
		case kind == "html" || kind == "text/html":
			t.html(e.Text())
		case kind == "xhtml" || kind == "application/xhtml+xml":
			t.xhtml(e)
		case kind == "" || kind == "text" || strings.HasPrefix(kind, "text/"):
			t.text(e.Text())
			plain = true
		}
		if text := t.String(); text != "" && (found == "" || plain) {
			found = text
			if plain {
				break
			}
		}
	}
	return found
}

// alternate returns the URL of the page of an entry (RFC 4287 §4.2.7), preferring HTML.
func alternate(entry *element.Element) (found string) {
	for e := range entry.Elements() {
		rel := e.Attr("rel")
		if !e.Is(ns.Atom, "link") || rel != "" && rel != "alternate" {
			continue
		}
		kind, url := e.Attr("type"), webURL(e.Attr("href"))
		isPage := kind == "" || strings.HasPrefix(kind, "text/html") || kind == "application/xhtml+xml"
		if url != "" && isPage {
			return url
		}
		if found == "" {
			found = url
		}
	}
	return found
}

// image returns the URL of an image of an entry: that of an enclosure (RFC 4287
// §4.2.7.2), or of Media RSS.
func image(entry *element.Element) string {
	for e := range entry.Elements() {
		if e.Is(ns.Atom, "link") && e.Attr("rel") == "enclosure" && strings.HasPrefix(e.Attr("type"), "image/") {
			if url := imageURL(e.Attr("href")); url != "" {
				return url
			}
		}
	}
	for _, local := range []string{"thumbnail", "content"} {
		for _, parent := range []*element.Element{entry, entry.Child(ns.MediaRSS, "group")} {
			for e := range parent.Elements() {
				if e.Is(ns.MediaRSS, local) && (local == "thumbnail" || e.Attr("medium") == "image" || strings.HasPrefix(e.Attr("type"), "image/")) {
					if url := imageURL(e.Attr("url")); url != "" {
						return url
					}
				}
			}
		}
	}
	return ""
}

// author returns the name of the first author that has one (RFC 4287 §4.2.1).
func author(entry *element.Element) string {
	for e := range entry.Elements() {
		if e.Is(ns.Atom, "author") {
			t := textWriter{most: maxTitle}
			t.text(e.Child(ns.Atom, "name").Text())
			if name := t.String(); name != "" {
				return name
			}
		}
	}
	return ""
}

// webURL returns a URL of the scheme http or https, or "" for any other text. A relative
// one is not resolved, because an item has no base.
func webURL(raw string) string {
	url := strings.TrimSpace(raw)
	scheme, rest, _ := strings.Cut(url, "://")
	if len(url) > maxURL || !isURL(url) || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") ||
		rest == "" || strings.IndexByte("/?#", rest[0]) >= 0 {
		return ""
	}
	return strings.Clone(url)
}

// imageURL is like webURL, but also allows images in data URLs (RFC 2397), except SVG,
// which can contain a program.
func imageURL(raw string) string {
	url := strings.TrimSpace(raw)
	const data = "data:image/"
	if len(url) > len(data) && strings.EqualFold(url[:len(data)], data) {
		if len(url) > maxDataURL || !isURL(url) || strings.HasPrefix(strings.ToLower(url[len(data):min(len(url), 64)]), "svg") {
			return ""
		}
		return strings.Clone(url)
	}
	return webURL(raw)
}

// isURL reports whether text has no ASCII character that must be percent-encoded in a URL.
func isURL(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7F || strings.ContainsRune("<>\"`\\", r) })
}
