package client

import (
	"context"

	"xmpp-pam/sdk/internal/engine"
	"xmpp-pam/sdk/pam"
)

// Events returns events of the inbox, newest first, and the cursor of the next page, which
// is empty after the last one. It reads the store only.
func (c *Client) Events(ctx context.Context, q pam.EventQuery) ([]pam.Event, string, error) {
	page, err := call(ctx, c, func(e *engine.Engine, reply func(*pam.EventPage, error)) { e.List(q, reply) })
	if err != nil {
		return nil, "", err
	}
	return page.Events, page.Cursor, nil
}

// Inbox returns the state of the inbox as of the last event.
func (c *Client) Inbox(ctx context.Context) (pam.InboxState, error) {
	s, err := call(ctx, c, func(e *engine.Engine, reply func(*pam.InboxState, error)) { e.Inbox(reply) })
	if err != nil {
		return pam.InboxState{}, err
	}
	return *s, nil
}

// WithInbox calls f with the state of the inbox, on the goroutine of OnEvent: the state
// contains what was reported before, and nothing of what is reported afterwards. What
// applies to OnEvent applies to f.
func (c *Client) WithInbox(ctx context.Context, f func(pam.InboxState)) error {
	return perform(ctx, c, func(e *engine.Engine, reply func(error)) {
		e.Inbox(func(s *pam.InboxState, err error) {
			if err == nil && ctx.Err() == nil {
				f(*s)
			}
			reply(err)
		})
	})
}

// MarkSeen marks the events with the ids as seen on this device. Ids of unknown events
// are ignored. It returns before the marks are stored; an EventsChanged reports them.
//
// The Client shares with the account's other devices, for each node, the newest event up
// to which all were seen: in private nodes of the account's own PEP service (XEP-0163,
// XEP-0223), at once, and then at most every 5 seconds. InboxState.SeenScope says whether
// the server supports that.
func (c *Client) MarkSeen(ctx context.Context, ids ...string) error {
	return perform(ctx, c, func(e *engine.Engine, reply func(error)) { e.MarkSeen(ids, "", reply) })
}

// MarkSeenUpTo marks an event, and all events of its node that are not newer, as seen on
// this device.
func (c *Client) MarkSeenUpTo(ctx context.Context, id string) error {
	return perform(ctx, c, func(e *engine.Engine, reply func(error)) { e.MarkSeen(nil, id, reply) })
}

// CatchUp continues the catch-up of this session, if it was canceled, or if nodes could not
// be read. A node that was asked less than 5 minutes ago is read when that time is over.
// CatchUpChanged reports the progress. If there is no session, the code is
// pam.CodeOffline; each new session begins with a catch-up.
func (c *Client) CatchUp(ctx context.Context) error {
	return perform(ctx, c, func(e *engine.Engine, reply func(error)) { e.CatchUp(reply) })
}

// CancelCatchUp ends the catch-up that is under way. What was found is kept; the rest is
// found by CatchUp, or in the next session.
func (c *Client) CancelCatchUp(ctx context.Context) error {
	return perform(ctx, c, func(e *engine.Engine, reply func(error)) { e.CancelCatchUp(reply) })
}

// Looked reports that the user looks at what has happened: InboxState.Away begins anew.
func (c *Client) Looked(ctx context.Context) error {
	return perform(ctx, c, func(e *engine.Engine, reply func(error)) { e.Looked(reply) })
}

// SetInterests sets which events this device can show. Nil means all. The others are
// neither kept nor counted; if more is wanted later, the Client fetches what was missed.
// Subscriptions are not affected; see Snapshot.Supports.
//
// An interest that names a node, not a prefix, and no pubsub service also announces that
// node with +notify in entity capabilities. The server then sends the events of personal
// nodes of that name, of the account and of contacts (XEP-0163 §4). They are kept only if
// the account follows the node; otherwise they are messages. At most 256 nodes can be
// announced.
func (c *Client) SetInterests(ctx context.Context, interests []pam.Interest) error {
	return perform(ctx, c, func(e *engine.Engine, reply func(error)) { e.SetInterests(interests, reply) })
}
