package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"xmpp-pam/sdk/store"
)

// oneWinner has 8 writers commit with the same expectation, 20 times.
func oneWinner(ctx context.Context, s store.Store) error {
	for round := range 20 {
		key := strconv.Itoa(round)
		results := make([]error, 8)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() {
				results[i] = s.Commit(ctx, records(key, nil), []store.Op{store.Put(key, []byte{byte(i)})})
			})
		}
		wg.Wait()
		winner := -1
		for i, err := range results {
			switch {
			case errors.Is(err, store.ErrConflict):
			case err != nil:
				return err
			case winner >= 0:
				return fmt.Errorf("writers %d and %d both committed on the same expectation", winner, i)
			default:
				winner = i
			}
		}
		if winner < 0 {
			return errors.New("every writer got ErrConflict; one must succeed")
		}
		if err := wantGet(ctx, s, key, string([]byte{byte(winner)})); err != nil {
			return fmt.Errorf("the winner's value is not stored: %w", err)
		}
	}
	return nil
}

// counter has 4 writers increment a number 200 times each.
func counter(ctx context.Context, s store.Store) error {
	const writers, times = 4, 200
	results := make([]error, writers)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			for n := 0; n < times && results[i] == nil; n++ {
				results[i] = increment(ctx, s, "n")
			}
		})
	}
	wg.Wait()
	if err := errors.Join(results...); err != nil {
		return err
	}
	return wantGet(ctx, s, "n", strconv.Itoa(writers*times))
}

func increment(ctx context.Context, s store.Store, key string) error {
	for {
		values, err := s.Get(ctx, key)
		if err != nil {
			return err
		}
		n := 0
		if values[0] != nil {
			if n, err = strconv.Atoi(string(values[0])); err != nil {
				return err
			}
		}
		err = s.Commit(ctx, []store.Record{{Key: key, Value: values[0]}}, []store.Op{store.Put(key, []byte(strconv.Itoa(n+1)))})
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// wholeCommits reads two records while a writer always writes both in one commit.
func wholeCommits(ctx context.Context, s store.Store) error {
	if err := put(ctx, s, "a", "0", "b", "0"); err != nil {
		return err
	}
	var wg sync.WaitGroup
	var failed error
	done := make(chan struct{})
	wg.Go(func() {
		defer close(done)
		for i := range 100 {
			value := strconv.Itoa(i)
			if failed = put(ctx, s, "a", value, "b", value); failed != nil {
				return
			}
		}
	})
	defer wg.Wait()
	for {
		values, err := s.Get(ctx, "a", "b")
		if err != nil {
			return err
		}
		scanned, err := s.Scan(ctx, store.Range{})
		if err != nil {
			return err
		}
		if string(values[0]) != string(values[1]) || len(scanned) != 2 || string(scanned[0].Value) != string(scanned[1].Value) {
			return fmt.Errorf("a commit was read in part: %q, %q", values, format(scanned))
		}
		select {
		case <-done:
			return failed
		default:
		}
	}
}

// cancelled accepts a cancelled commit that was applied, but not one that was
// applied in part.
func cancelled(ctx context.Context, s store.Store) error {
	if err := put(ctx, s, "a", "0", "b", "0"); err != nil {
		return err
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Get(ended, "a"); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("cancelled Get: %v", err)
	}
	if _, err := s.Scan(ended, store.Range{}); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("cancelled Scan: %v", err)
	}
	if err := put(ended, s, "a", "1", "b", "1"); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("cancelled Commit: %v", err)
	}
	// A commit that is cancelled while it runs may succeed or fail.
	for i := range 50 {
		racing, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		wg.Go(cancel)
		value := strconv.Itoa(i)
		err := put(racing, s, "a", value, "b", value)
		wg.Wait()
		if err != nil && !errors.Is(err, context.Canceled) {
			return fmt.Errorf("cancelled during Commit: %w", err)
		}
		values, getErr := s.Get(ctx, "a", "b")
		if getErr != nil {
			return getErr
		}
		if string(values[0]) != string(values[1]) {
			return fmt.Errorf("a cancelled commit was stored in part: %q", values)
		}
		if err == nil && string(values[0]) != value {
			return fmt.Errorf("a Commit that returned nil stored nothing: %q", values)
		}
	}
	return put(ctx, s, "a", "2") // The store stays usable.
}

func closed(ctx context.Context, s store.Store) error {
	if err := steps(func() error { return put(ctx, s, "a", "1") }, s.Close); err != nil {
		return err
	}
	_, get := s.Get(ctx, "a")
	_, scan := s.Scan(ctx, store.Range{})
	for name, err := range map[string]error{
		"Get": get, "Scan": scan, "Commit": put(ctx, s, "a", "2"), "empty Commit": s.Commit(ctx, nil, nil), "Close": s.Close(),
	} {
		if !errors.Is(err, store.ErrClosed) {
			return fmt.Errorf("%s on a closed store: %v, want ErrClosed", name, err)
		}
	}
	return nil
}
