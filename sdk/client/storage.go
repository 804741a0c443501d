package client

import (
	"context"
	"errors"
	"sync"
	"time"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/store"
)

// storeTimeout is how long the store may take over one job. It is counted in two
// halves, because a timer of a device that slept ends as soon as it wakes, before
// the store can have answered.
const storeTimeout = 10 * time.Second

var errStoreSilent = errors.New("the store did not answer within " + storeTimeout.String())

// A storage does jobs in the store one after another, in the order in which they
// were given. If the store does not answer in time the job is given up, memory
// takes the place of the store, and whatever the store answers later counts for
// nothing. Its methods run on the owner's goroutine.
type storage struct {
	o       *owner
	durable *durable // belongs to the job under way
	jobs    []*job   // the first is under way
	limit   *timer   // of the job under way
	failed  sync.WaitGroup
}

// A job is run on a goroutine of its own and returns what is to be done with the
// outcome on the owner's. That does not happen if the job is given up: silent is
// called then. Run must not use what belongs to the owner.
type job struct {
	run    func(ctx context.Context, d *durable) (then func())
	silent func()
	cancel context.CancelFunc
	done   chan struct{} // run has returned
}

// do queues a job.
func (s *storage) do(run func(ctx context.Context, d *durable) (then func()), silent func()) {
	s.jobs = append(s.jobs, &job{run: run, silent: silent})
	if len(s.jobs) == 1 {
		s.start()
	}
}

// then runs f once all jobs given so far have ended.
func (s *storage) then(f func()) {
	s.do(func(context.Context, *durable) func() { return f }, f)
}

func (s *storage) start() {
	j, d := s.jobs[0], s.durable
	var ctx context.Context
	ctx, j.cancel = context.WithCancel(context.Background())
	j.done = make(chan struct{})
	go func() {
		then := j.run(ctx, d)
		close(j.done)
		s.o.c.post(func() { s.finish(j, then) })
	}()
	s.limit = s.o.after(storeTimeout/2, func() {
		s.limit = s.o.after(storeTimeout/2, func() {
			s.finish(j, func() {
				s.o.degrade(errStoreSilent)
				j.silent()
			})
		})
	})
}

// finish ends the job under way, unless it was given up before.
func (s *storage) finish(j *job, then func()) {
	if len(s.jobs) == 0 || s.jobs[0] != j {
		return
	}
	s.limit.stop()
	j.cancel()
	then()
	if s.jobs = s.jobs[1:]; len(s.jobs) > 0 {
		s.start()
	}
}

// toMemory replaces the store by memory that holds now. What must not stay in the
// store is removed from it if it still takes that, removed is called on the
// owner's goroutine then, and it is closed. What an abandoned job still does
// happens to the old durable, which nothing else uses.
func (s *storage) toMemory(now listsync.Durable, remove []store.Op, removed func()) {
	old := s.durable.store
	s.durable = inMemory(now)
	s.failed.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		if len(remove) > 0 && old.Commit(ctx, nil, remove) == nil {
			s.o.c.post(removed)
		}
		_ = old.Close()
	})
}

// close does what is left to do, and last, and closes the store. It takes no
// longer than closeTimeout.
func (s *storage) close(last ...store.Op) error {
	s.limit.stop()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	jobs, d := s.jobs, s.durable
	closed := make(chan error, 1)
	go func() {
		for i, j := range jobs {
			switch {
			case i == 0:
				defer context.AfterFunc(ctx, j.cancel)()
				<-j.done
			case ctx.Err() == nil:
				j.run(ctx, d)
			}
		}
		if len(last) > 0 && ctx.Err() == nil {
			_ = d.store.Commit(ctx, nil, last)
		}
		closed <- d.store.Close()
		s.failed.Wait()
		cancel()
	}()
	<-ctx.Done()
	select {
	case err := <-closed:
		return err
	default:
		return errors.New("the store did not answer within " + closeTimeout.String())
	}
}
