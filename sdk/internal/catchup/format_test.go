package catchup

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// format writes an output, or "" for one that transcripts leave out.
func (p *player) format(out Output) string {
	switch out := out.(type) {
	case Request:
		return out.ID + " " + formatRequest(out)
	case Withdraw:
		return "withdraw " + out.ID
	case Found:
		text := "found " + out.Means.String()
		if out.New {
			text = "found new " + out.Means.String()
		}
		for i := 0; i < len(out.Events); i++ {
			first := formatEvent(out.Events[i])
			text += " " + first
			run := 0
			for i+run+1 < len(out.Events) && formatEvent(out.Events[i+run+1]) == successor(first, run+1) {
				run++
			}
			if run > 1 {
				text += ".." + out.Events[i+run].ItemID
				i += run
			}
		}
		return text
	case Reached:
		text := "reached " + shorten(out.Service) + " " + strings.Join(out.Nodes, ",")
		if out.Cursor != (Cursor{}) {
			text += " " + out.Cursor.ID + "@" + stamp(out.Cursor.At)
			if out.Cursor.By != account {
				text += ":" + shorten(out.Cursor.By)
			}
		}
		if out.Current {
			text += " current"
		}
		return text
	case Asked:
		text := "asked " + shorten(out.Service) + "/" + out.Node
		if !p.now.IsZero() && !out.At.Equal(p.now) {
			text += " at " + stamp(out.At)
		}
		return text
	case Done:
		return "done " + formatState(out.State)
	case SetTimer:
		if out.At.IsZero() {
			return "timer off"
		}
		return "timer " + stamp(out.At)
	}
	return ""
}

// successor returns the text of the event of the item that follows n places after "…/o1".
func successor(text string, n int) string {
	prefix, number, _ := strings.Cut(text, "/o")
	i, err := strconv.Atoi(number)
	if err != nil {
		return ""
	}
	return prefix + "/o" + strconv.Itoa(i+n)
}

func formatRequest(out Request) string {
	if items := out.Payload.Child(ns.Pubsub, "items"); items != nil {
		text := "items " + shorten(out.To) + "/" + items.Attr("node")
		if max := items.Attr("max_items"); max != "" {
			text += " max=" + max
		}
		text += formatSet(out.Payload)
		if out.Compare != nil {
			text += " compare"
		}
		if out.Type != "get" {
			text += " " + out.Type
		}
		return text
	}
	text := "query " + shorten(out.To)
	if node := out.Payload.Attr("node"); node != "" {
		text += "/" + node
	}
	for field := range out.Payload.Child(ns.DataForms, "x").Elements() {
		value := field.Child(ns.DataForms, "value").Text()
		if name := field.Attr("var"); name == "start" {
			at, _ := time.Parse(time.RFC3339, value)
			text += " start=" + stamp(at)
		} else if name != "FORM_TYPE" {
			text += " " + name + "=" + shorten(value)
		}
	}
	return text + formatSet(out.Payload)
}

func formatSet(payload *element.Element) (text string) {
	for e := range payload.Child(ns.RSM, "set").Elements() {
		text += " " + e.Name.Local
		if value := e.Text(); value != "" {
			text += "=" + value
		}
	}
	return text
}

func formatEvent(e Event) string {
	sign := map[pam.EventType]string{pam.EventPublished: "+", pam.EventRetracted: "-", pam.EventDeleted: "~", pam.EventPurged: "^", pam.EventConfigured: "="}[e.Type]
	text := shorten(e.Service) + sign + e.Node
	if e.ItemID != "" {
		text += "/" + e.ItemID
	}
	if payload := e.Payload.Text(); payload != "" && payload != "1" {
		text += "=" + payload
	}
	if !e.At.IsZero() {
		text += "@" + stamp(e.At)
		if e.Source != pam.TimeArchive {
			text += ":" + string(e.Source)
		}
	} else if e.Source != "" {
		text += "@:" + string(e.Source)
	}
	if e.Delivery != pam.DeliveryCatchUp {
		text += " delivery=" + string(e.Delivery)
	}
	if e.ArchiveID != "" {
		text += "#" + e.ArchiveID
	}
	return text
}

func formatState(s pam.CatchUpState) string {
	text := fmt.Sprintf("%d/%d %s", s.NodesDone, s.Nodes, s.Completeness)
	if s.Phase != pam.CatchUpDone {
		text = string(s.Phase) + " " + text
	}
	gaps := make([]string, len(s.Gaps))
	for i, g := range s.Gaps {
		gaps[i] = fmt.Sprintf(" %s/%s:%s:%s-%s", shorten(g.Service), g.Node, g.Reason, stamp(g.From), stamp(g.To))
	}
	slices.Sort(gaps)
	return text + strings.Join(gaps, "")
}
