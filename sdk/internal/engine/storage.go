package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// storeTimeout is how long the store may take over one job. It is counted in two
// halves, because a timer of a device that slept ends as soon as it wakes, before
// the store can have answered.
const (
	storeTimeout = 10 * time.Second
	closeTimeout = 3 * time.Second
)

var errStoreSilent = errors.New("the store did not answer within " + storeTimeout.String())

// A storage does jobs in the store one after another, in the order in which they
// were given. If the store does not answer in time the job is given up, memory
// takes the place of the store, and whatever the store answers later counts for
// nothing.
type storage struct {
	*loop
	cfg  *Config
	view *view
	tell func(message)

	durable  *durable // belongs to the job under way
	jobs     []*job   // the first is under way
	limit    *timer   // of the job under way
	failed   sync.WaitGroup
	degraded error // why memory has taken over

	loading, loaded bool     // the first reading has begun, has ended
	held            int      // calls of Forget under way, for which all others wait
	waiters         []func() // for the first reading, and those calls
	reloads         int      // readings because another Client has changed the store

	writer      sessionWriter
	staleRecord bool // a store that failed holds an older record of the session
}

func newStorage(l *loop, cfg *Config, v *view, tell func(message)) *storage {
	return &storage{loop: l, cfg: cfg, view: v, tell: tell, durable: &durable{store: cfg.Store}}
}

// A job is run on a goroutine of its own and returns what is to be done with the
// outcome on the loop. That does not happen if the job is given up: silent is
// called then. Run must not use what belongs to the loop.
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
		s.post(func() { s.finish(j, then) })
	}()
	s.limit = s.after(storeTimeout/2, func() {
		s.limit = s.after(storeTimeout/2, func() {
			s.finish(j, func() {
				s.tell(storeFailed{errStoreSilent})
				j.silent()
			})
		})
	})
}

// finish ends the job under way, unless it was given up before. The next begins
// once what then tells has been handled.
func (s *storage) finish(j *job, then func()) {
	if len(s.jobs) == 0 || s.jobs[0] != j {
		return
	}
	s.limit.stop()
	j.cancel()
	then()
	s.tell(jobDone{})
}

func (s *storage) startNext() {
	if s.jobs = s.jobs[1:]; len(s.jobs) > 0 {
		s.start()
	}
}

// useMemory replaces the store, which has failed, by memory that holds now. The
// session's record is removed from the store if it still takes that. What an
// abandoned job still does happens to the old durable, which nothing else uses.
func (s *storage) useMemory(err error, now listsync.Durable) {
	old := s.durable.store
	var remove []store.Op
	if s.cfg.Tab != "" && !errors.Is(err, errNewer) {
		remove = append(remove, store.Delete(sessionKey(s.cfg.Tab)))
		s.staleRecord = true
	}
	s.durable, s.degraded = inMemory(now), err
	s.failed.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		if len(remove) > 0 && old.Commit(ctx, nil, remove) == nil {
			s.post(func() { s.staleRecord = false })
		}
		_ = old.Close()
	})
	s.view.warn(&pam.Error{Code: pam.CodeStorage, Origin: pam.FromStorage, Err: err, Retryable: false,
		Text: "The list cannot be stored (" + err.Error() + "). It is kept in memory until the program ends."})
	s.view.setDegraded(err)
}

// close does what is left to do, removes the session's record unless the session
// waits to be resumed, and closes the store. It takes no longer than closeTimeout.
func (s *storage) close(sessionWaits bool) error {
	s.limit.stop()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	jobs, d := s.jobs, s.durable
	remove := s.writer.stored && !sessionWaits // What was forgotten last may not have been removed yet.
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
		if remove && ctx.Err() == nil {
			_ = d.store.Commit(ctx, nil, []store.Op{store.Delete(sessionKey(s.cfg.Tab))})
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
