package prosody

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// node is an XML element in the form that the tests compare.
type node struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []node     `xml:",any"`
	Text     string     `xml:",chardata"`
}

func (n node) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// at follows a path of element names. It returns the empty node if an element is absent.
func (n node) at(path ...string) node {
	for _, name := range path {
		var next node
		for _, child := range n.Children {
			if child.XMLName.Local == name {
				next = child
				break
			}
		}
		n = next
	}
	return n
}

// String summarises a stanza in the words that tests compare.
func (n node) String() string {
	name := n.XMLName.Local
	switch {
	case name == "message" && n.at("notify").XMLName.Local != "":
		var rows []string
		for _, sub := range n.at("notify").Children {
			rows = append(rows, describe(sub))
		}
		return "notify " + n.at("notify").attr("service") + " " + strings.Join(rows, "; ")
	case name == "message" && n.at("event", "items").XMLName.Local != "":
		return "event " + n.attr("from") + " " + n.at("event", "items").attr("node") + " " + n.at("event", "items", "item").attr("id")
	case name == "message" && len(n.at("event").Children) > 0:
		return "event " + n.attr("from") + " " + n.at("event").Children[0].XMLName.Local
	case name == "iq" && n.attr("type") == "error":
		conditions := []string{}
		for _, c := range n.at("error").Children {
			if c.XMLName.Local != "text" {
				conditions = append(conditions, c.XMLName.Local)
			}
		}
		return fmt.Sprintf("error %s %s by=%s", n.at("error").attr("type"), strings.Join(conditions, "+"), n.at("error").attr("by"))
	case name == "iq" && n.at("subscriptions").XMLName.Local != "":
		lines := []string{"list"}
		for _, sub := range n.at("subscriptions").Children {
			lines = append(lines, sub.attr("service")+" "+describe(sub))
		}
		return strings.Join(lines, "; ")
	case name == "iq":
		return fmt.Sprintf("%s %d", n.attr("type"), len(n.Children))
	}
	return name
}

func describe(sub node) string {
	text := sub.attr("node") + " " + sub.attr("subscription")
	if subid := sub.attr("subid"); subid != "" {
		text += " " + subid
	}
	return text
}
