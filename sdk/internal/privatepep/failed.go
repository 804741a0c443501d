package privatepep

import (
	"time"

	"xmpp-pam/sdk/internal/pubsub"
)

// Conditions of errors.
const (
	itemNotFound = "item-not-found"
	conflict     = "conflict"
)

// failed handles an error, or that there was no answer.
func (m *Machine) failed(in Failed) {
	r := m.take(in.ID)
	switch {
	case r == nil:
	case r.kind == list:
		m.listing = done
	case in.Err == nil: // It may have been carried out.
		if r.kind != read {
			r.node.read, r.node.private = false, false
		}
		m.fail(r.node, nil)
	default:
		m.refused(r, in.Err)
	}
}

// refused handles an error.
func (m *Machine) refused(r *request, err *pubsub.Error) {
	n := r.node
	switch {
	case r.kind == read && err.Condition == itemNotFound:
		n.absent = true
		m.haveRead(r, nil, 0)
	case r.kind == create && err.Condition == conflict: // Another device has created it.
		n.absent, n.read = false, false
		n.checks++
	case r.kind == create || r.kind == configure:
		m.nextAttempt(r, err)
	case r.writes() && r.kind != publish && err.Condition == itemNotFound: // or the node was deleted
		m.written(r)
		m.reread(n)
	case err.Condition == itemNotFound: // The node was deleted.
		n.private, n.read = false, false
		n.checks++
	case transient(err):
		m.fail(n, err)
	case r.kind == check:
		m.refuse(n, Unreadable, err)
	case r.kind == publish:
		m.publishRefused(r, err)
	case r.kind == retract:
		m.giveUp(r, Refused, err)
	default:
		m.fail(n, err)
	}
}

// publishRefused handles an error that answers a publication.
func (m *Machine) publishRefused(r *request, err *pubsub.Error) {
	n := r.node
	switch {
	case err.PubsubCondition == "node-full" && r.put.evicted < maxEvicted: // rule 4
		n.limit = min(n.limit, n.count())
	case err.PubsubCondition == "node-full":
		m.giveUp(r, Full, nil)
	case err.Condition == conflict, err.PubsubCondition == "precondition-not-met":
		// The node was deleted and created again, or configured anew, by another client.
		n.private, n.read = false, false
		n.checks++
	case err.Condition == "feature-not-implemented":
		m.refuse(n, NoPublishOptions, err)
	default:
		m.giveUp(r, Refused, err)
	}
}

// giveUp drops the Put or Remove of a request, unless a later one has replaced it.
func (m *Machine) giveUp(r *request, why Reason, err *pubsub.Error) {
	if r.node.puts[r.key] == r.put {
		m.unqueue(r.node, r.key)
		m.drop(r.key, why, err)
	}
}

// transient reports whether a request may succeed later.
func transient(err *pubsub.Error) bool {
	switch err.Condition {
	case "internal-server-error", "remote-server-timeout", "resource-constraint", "service-unavailable":
		return true
	}
	return err.Type == "wait"
}

// refuse ends the use of a node until the next session, or of the server if no node has
// taken an item in this session.
func (m *Machine) refuse(n *node, why Reason, err *pubsub.Error) {
	if !m.proven {
		m.unsupported(why, err)
		return
	}
	n.idle = true
	m.out = append(m.out, Warning{n.name, why, err})
}

// The times between tries, the first of which grows fourfold with each.
const (
	retryTime   = 5 * time.Second
	maxFailures = 5
)

// fail implements rule 5 for a node: it is tried again later.
func (m *Machine) fail(n *node, err *pubsub.Error) {
	if n.failures++; n.failures >= maxFailures {
		n.idle = true
		m.out = append(m.out, Warning{n.name, NoAnswer, err})
		return
	}
	n.wait(m.now.Add(retryTime << (2 * (n.failures - 1))))
}
