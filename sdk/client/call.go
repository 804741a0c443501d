package client

import (
	"context"

	"xmpp-pam/sdk/internal/engine"
	"xmpp-pam/sdk/pam"
)

// call runs start on the engine's goroutine and returns what start passes to reply.
// The value is a pointer so that the compiler generates the code once for all types.
func call[T any](ctx context.Context, c *Client, start func(e *engine.Engine, reply func(*T, error))) (*T, error) {
	type outcome struct {
		value *T
		err   error
	}
	answer := make(chan outcome, 1)
	work := func() {
		start(c.engine, func(value *T, err error) {
			select {
			case answer <- outcome{value, err}:
			default: // Only the first reply counts.
			}
		})
	}
	if !c.engine.PostBefore(ctx, work) {
		return nil, engine.ContextError(ctx)
	}
	select {
	case a := <-answer:
		return a.value, a.err
	case <-ctx.Done():
		return nil, engine.ContextError(ctx)
	case <-c.engine.Done():
		select {
		case a := <-answer:
			return a.value, a.err
		default:
			return nil, engine.ClientError(pam.CodeClosed, "The client was closed. Make a new one.")
		}
	}
}

// perform is like call, for a start function without a result.
func perform(ctx context.Context, c *Client, start func(e *engine.Engine, reply func(error))) error {
	_, err := call(ctx, c, func(e *engine.Engine, reply func(*struct{}, error)) {
		start(e, func(err error) { reply(nil, err) })
	})
	return err
}
