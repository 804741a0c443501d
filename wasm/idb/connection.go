//go:build js && wasm

package idb

import (
	"context"
	"errors"
	"fmt"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/store"
)

// attempts is how often run tries an operation if connections are lost. The second
// attempt can still fail because the browser is clearing the database.
const attempts = 3

// run performs one operation on the connection, and repeats it on a new one if the
// connection is lost. It creates a database that does not exist if
// create is true.
func (s *Store) run(ctx context.Context, create bool, method string, args ...any) (safejs.Value, error) {
	for attempt := 1; ; attempt++ {
		db, err := s.connection(ctx, create)
		var result safejs.Value
		if err == nil {
			result, err = call(ctx, method, db, method, args...)
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || !e.lost() || attempt == attempts {
			return result, err
		}
		s.forget(db)
	}
}

// connection returns the connection, and opens one if there is none. If create is
// false and the database does not exist, it returns a connection to an empty one.
func (s *Store) connection(ctx context.Context, create bool) (safejs.Value, error) {
	if err := s.take(ctx, "open"); err != nil {
		return safejs.Undefined(), err
	}
	defer s.release()
	s.mu.Lock()
	db, closed := s.db, s.closed
	s.mu.Unlock()
	switch {
	case closed:
		return db, store.ErrClosed
	case !db.IsUndefined():
		return db, nil
	}
	db, err := call(ctx, "open", s.host, "openDatabase", s.name, create, blockedTimeout.Milliseconds(), s.onLost)
	if err != nil {
		return db, err
	}
	absent, err := db.Get("absent")
	if err != nil {
		return db, fmt.Errorf("idb: open: %w", err)
	}
	if truth, err := absent.Bool(); err == nil && truth {
		return db, nil
	}
	s.mu.Lock()
	closed = s.closed
	if !closed {
		s.db = db
	}
	s.mu.Unlock()
	if closed {
		shut(db)
		return db, store.ErrClosed
	}
	return db, nil
}

// forget drops a lost connection, unless another operation has already dropped it.
func (s *Store) forget(db safejs.Value) {
	s.mu.Lock()
	if s.db.Equal(db) {
		s.db = safejs.Undefined()
	}
	s.mu.Unlock()
	shut(db)
}

// shut closes a connection, which then reports no loss. It ignores an error of close,
// because the browser then closes the connection later.
func shut(db safejs.Value) {
	if !db.IsUndefined() {
		_, _ = db.Call("close")
	}
}

// call calls target.method(args..., done) and waits for done. When ctx ends first,
// it cancels the call, so that JavaScript then neither calls done nor opens a connection.
func call(ctx context.Context, op string, target safejs.Value, method string, args ...any) (safejs.Value, error) {
	if err := ctx.Err(); err != nil {
		return safejs.Undefined(), fmt.Errorf("idb: %s: %w", op, err)
	}
	type answer struct {
		value safejs.Value
		err   error
	}
	answers := make(chan answer, 1)
	done, err := safejs.FuncOf(func(_ safejs.Value, args []safejs.Value) any {
		if name := text(args[0]); name != "" {
			answers <- answer{err: &Error{Name: name, Op: op, Text: text(args[1])}}
		} else if len(args) > 2 {
			answers <- answer{value: args[2]}
		} else {
			answers <- answer{}
		}
		return nil
	})
	if err != nil {
		return safejs.Undefined(), fmt.Errorf("idb: %s: %w", op, err)
	}
	defer done.Release()
	handle, err := target.Call(method, append(args[:len(args):len(args)], done)...)
	if err != nil {
		return safejs.Undefined(), fmt.Errorf("idb: %s: the program was given no working %s: %w", op, method, err)
	}
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
		_, _ = handle.Call("cancel")
		select {
		case a := <-answers: // done was called just before ctx ended.
			return a.value, a.err
		default:
		}
		return safejs.Undefined(), fmt.Errorf("idb: %s: no answer yet: %w", op, ctx.Err())
	}
}

// take waits for the exclusive right to open or delete the database.
func (s *Store) take(ctx context.Context, op string) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("idb: %s: %w", op, ctx.Err())
	}
}

// release returns the right that take has acquired. If the Store is closed, it also
// releases onLost, because no open connection can call it.
func (s *Store) release() {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		s.onLost.Release()
	}
	<-s.turn
}
