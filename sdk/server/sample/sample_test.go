package sample

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"image/png"
	"strings"
	"testing"
	"time"
)

type entry struct {
	XMLName   xml.Name `xml:"http://www.w3.org/2005/Atom entry"`
	ID        string   `xml:"id"`
	Title     string   `xml:"title"`
	Summary   string   `xml:"summary"`
	Published string   `xml:"published"`
	Updated   string   `xml:"updated"`
	Links     []struct {
		Rel  string `xml:"rel,attr"`
		Type string `xml:"type,attr"`
		Href string `xml:"href,attr"`
	} `xml:"link"`
}

// TestEntry checks that the entries are well-formed, and have all that a page shows.
func TestEntry(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	seen := map[string]bool{}
	for node := range texts {
		for number := range 2 * len(texts[node]) {
			text := Entry(node, number, at)
			var e entry
			if err := xml.Unmarshal([]byte(text), &e); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if len(text) > 4000 || e.Title == "" || e.Summary == "" || e.Published != "2026-11-29T12:00:00Z" || e.Updated != e.Published || seen[e.ID] {
				t.Errorf("%s %d: %d bytes, %+v", node, number, len(text), e)
			}
			seen[e.ID] = true
			if node == "princely_musings" {
				continue
			}
			data, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(e.Links[1].Href, "data:image/png;base64,"))
			if err != nil || e.Links[1].Rel != "enclosure" || e.Links[1].Type != "image/png" {
				t.Fatalf("%s %d: the picture: %v, %+v", node, number, err, e.Links)
			}
			if m, err := png.Decode(bytes.NewReader(data)); err != nil || m.Bounds().Dx() != width {
				t.Errorf("%s %d: the picture: %v", node, number, err)
			}
		}
	}
	if text := Entry("a b/c", 0, at); !strings.Contains(text, "<id>tag:example.com,2026:a%20b%2Fc-1<") || !strings.Contains(text, "href='https://example.com/a%20b%2Fc/1'") {
		t.Errorf("another node: %s", text)
	}
}

func TestTitled(t *testing.T) {
	var e entry
	if err := xml.Unmarshal([]byte(Titled("a <b> & c", time.Unix(0, 0))), &e); err != nil || e.Title != "a <b> & c" || e.Published != "1970-01-01T00:00:00Z" || len(e.Links) > 0 {
		t.Errorf("%v, %+v", err, e)
	}
}
