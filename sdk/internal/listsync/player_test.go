package listsync

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/pam"
)

// A player reads the inputs of a transcript and writes outputs.
type player struct{ round, seq int }

func (p *player) read(t *testing.T, line string) Input {
	f := strings.Fields(line)
	round := p.round
	if f[0] == "stale" {
		f, round = f[1:], round-1
	}
	has := func(word string) bool { return len(f) > 1 && f[1] == word }
	switch f[0] {
	case "stored":
		return Stored{readDurable(f[1:])}
	case "session":
		return SessionStarted{Full: has("full")}
	case "drop", "undrop":
		return Drop{Key: readRows(f[1:])[0].Key, Undo: f[0] == "undrop"}
	case "ended":
		return SessionEnded{}
	case "full":
		return ListResult{Round: round, Full: true, Version: readVersion(f[1]), List: readRows(f[2:])}
	case "empty":
		return ListResult{Round: round}
	case "failed":
		return ListFailed{round}
	case "notify", "delayed":
		return Notify{Version: readVersion(f[1]), Items: readRows(f[2:]), Delayed: f[0] == "delayed"}
	case "ok":
		return Committed{p.seq}
	case "conflict":
		return Conflict{p.seq, readDurable(f[1:])}
	case "refresh":
		return Refresh{Full: has("full")}
	case "timer":
		return TimerFired{map[string]Timer{"quiet": TimerQuiet, "oldest": TimerDirtyDeadline}[f[1]]}
	}
	t.Fatalf("bad input %q", line)
	return nil
}

func (p *player) format(out Output) string {
	switch out := out.(type) {
	case RequestList:
		p.round = out.Round
		return "list " + formatVersion(out.Version)
	case Commit:
		p.seq = out.Seq
		s := fmt.Sprintf("commit %s -> %s", formatStamp(out.Expect), formatStamp(out.Next))
		if out.Replace {
			s += " whole"
		}
		if out.Replace {
			s += ":" + formatRows(out.List.Rows())
		} else {
			s += ":" + formatChanges(out.Changes)
		}
		if len(out.Dropped) > 0 {
			s += "; dropped" + formatRows(out.Dropped)
		}
		return s
	case Changed:
		s := fmt.Sprintf("changed %s -> %s", formatVersion(out.From), formatVersion(out.To))
		if out.Resync {
			s += " resync"
		}
		return s + ":" + formatChanges(out.Changes)
	case Overlay:
		if out.Reset {
			return "overlay reset" + formatRows(out.Items)
		}
		return "overlay" + formatRows(out.Items)
	case PhaseChanged:
		s := "phase " + [...]string{"unsynced", "syncing", "synced"}[out.Phase]
		if out.Dirty {
			s += " dirty"
		}
		return s
	case SetTimer:
		return fmt.Sprintf("timer %s %d", [...]string{"quiet", "oldest"}[out.Timer], millis(out.At))
	case ListingFailed:
		return "listing failed"
	}
	return fmt.Sprintf("%T", out)
}

func readDurable(f []string) Durable {
	epoch, version, _ := strings.Cut(f[0], "/")
	n, _ := strconv.ParseUint(epoch, 10, 64)
	d := Durable{Stamp: Stamp{n, readVersion(version)}}
	rows := f[1:]
	if i := slices.Index(rows, "dropped"); i >= 0 {
		d.Dropped, rows = readRows(rows[i+1:]), rows[:i]
	}
	d.List = NewList(readRows(rows))
	return d
}

func readVersion(s string) pam.Version { return pam.Version(strings.TrimPrefix(s, ".")) }

func readRows(f []string) []pam.Subscription {
	var list []pam.Subscription
	for _, s := range f {
		s, none := strings.CutPrefix(s, "-")
		s, state, _ := strings.Cut(s, "=")
		s, subid, _ := strings.Cut(s, "#")
		service, node, _ := strings.Cut(s, "/")
		row := sub(service, node, subid, pam.StateSubscribed)
		if none {
			row.State = pam.StateNone
		} else if state != "" {
			row.State = pam.State(state)
		}
		list = append(list, row)
	}
	return list
}

func formatVersion(v pam.Version) string {
	if v == "" {
		return "."
	}
	return string(v)
}

func formatStamp(s Stamp) string { return fmt.Sprintf("%d/%s", s.Epoch, formatVersion(s.Version)) }

func formatRow(s pam.Subscription) string {
	text := s.Service + "/" + s.Node
	if s.SubID != "" {
		text += "#" + s.SubID
	}
	switch s.State {
	case pam.StateNone:
		text = "-" + text
	case pam.StateSubscribed:
	default:
		text += "=" + string(s.State)
	}
	return text
}

func formatRows(list []pam.Subscription) string {
	var b strings.Builder
	for _, s := range list {
		b.WriteString(" " + formatRow(s))
	}
	return b.String()
}

func formatChanges(changes []pam.Change) string {
	var b strings.Builder
	for _, c := range changes {
		switch {
		case c.Before == nil:
			b.WriteString(" +" + formatRow(*c.After))
		case c.After == nil:
			b.WriteString(" -" + formatRow(*c.Before))
		default:
			b.WriteString(" *" + formatRow(*c.After))
		}
	}
	return b.String()
}

// start is the time of each step.
var start time.Time

// millis returns the milliseconds from start to at, or 0 if at is zero.
func millis(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.Sub(start).Milliseconds()
}
