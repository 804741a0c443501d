// Package sample makes Atom entries (RFC 4287) for demonstrations and tests.
package sample

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Titled returns an entry that has a title and a time only.
func Titled(title string, at time.Time) string { return atom{title: title, published: at}.String() }

// Entry returns the entry numbered number of a node, with a summary, a link and, at most
// nodes, a picture. The texts are different ones for the nodes weather, gallery and
// princely_musings, and are repeated when there are no more.
func Entry(node string, number int, at time.Time) string {
	list := texts[node]
	if list == nil {
		list = texts["news"]
	}
	t := list[number%len(list)]
	a := atom{
		id:    fmt.Sprintf("tag:example.com,2026:%s-%d", url.PathEscape(node), number+1),
		title: t.title, summary: t.summary, published: at,
		link: fmt.Sprintf("https://example.com/%s/%d", url.PathEscape(node), number+1),
	}
	if node != "princely_musings" {
		a.image = picture(t.scene, number)
	}
	return a.String()
}

type text struct {
	title, summary string
	scene          scene
}

var texts = map[string][]text{
	"news": {
		{"The library opens its garden", "From Monday on, the reading garden is open every day until sunset.", meadow},
		{"Trains run every ten minutes", "The new timetable starts in spring; night trains stay as they are.", dusk},
		{"A comet will be visible tonight", "Look to the west an hour after sunset. Binoculars help.", night},
		{"The market moves to the old harbour", "The stalls find more room there while the square is being paved.", sea},
		{"Bread recipe of the week", "Flour, water, salt, and a night of patience.", desert},
		{"Version 4.2 is out", "It starts faster, has fewer bugs, and a dark mode at last.", dusk},
	},
	"weather": {
		{"Sunny until Thursday", "18 to 22 degrees, light wind from the west.", meadow},
		{"Fog along the coast", "Visibility below 200 metres until about ten o’clock.", sea},
		{"First frost in the hills", "Take the lemon trees in tonight.", night},
		{"Warm wind from the south", "Dust is possible in the afternoon, up to 26 degrees.", desert},
	},
	"gallery": {
		{"Evening over the bay", "Taken from the lighthouse, with a long exposure.", dusk},
		{"Dunes at noon", "The third day of the walk.", desert},
		{"Low tide", "Only gulls were there.", sea},
		{"Before the thunderstorm", "Ten minutes later everything was wet.", night},
		{"The upper meadow", "In May, before the cows come.", meadow},
	},
	"princely_musings": {
		{"Soliloquy", "To be, or not to be: that is the question: whether ’tis nobler in the mind to suffer the slings and arrows of outrageous fortune …", 0},
		{"On a skull", "Alas, poor Yorick! I knew him, Horatio: a fellow of infinite jest, of most excellent fancy.", 0},
		{"On philosophy", "There are more things in heaven and earth, Horatio, than are dreamt of in your philosophy.", 0},
	},
}

// An atom is an Atom entry. Empty fields are left out.
type atom struct {
	id, title, summary, link, image string
	published                       time.Time
}

func (a atom) String() string {
	var b strings.Builder
	b.WriteString("<entry xmlns='http://www.w3.org/2005/Atom'>")
	element(&b, "title", a.title)
	element(&b, "id", a.id)
	stamp := a.published.UTC().Format(time.RFC3339)
	element(&b, "published", stamp)
	element(&b, "updated", stamp)
	element(&b, "summary", a.summary)
	if a.link != "" {
		b.WriteString("<link rel='alternate' type='text/html' href='" + escape(a.link) + "'/>")
	}
	if a.image != "" {
		b.WriteString("<link rel='enclosure' type='image/png' href='" + escape(a.image) + "'/>")
	}
	b.WriteString("</entry>")
	return b.String()
}

func element(b *strings.Builder, name, text string) {
	if text != "" {
		b.WriteString("<" + name + ">" + escape(text) + "</" + name + ">")
	}
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder does not fail
	return b.String()
}
