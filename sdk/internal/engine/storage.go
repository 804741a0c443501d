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

// storeTimeout is the timeout of one job. It runs as two halves, because a timer that
// expired while the device was suspended fires as soon as the device wakes, before
// the store can have answered.
const (
	storeTimeout = 10 * time.Second
	closeTimeout = 3 * time.Second
)

var errStoreSilent = errors.New("the store did not answer within " + storeTimeout.String())

// A storage runs jobs on the store one after another, in the order in which they were
// queued. If the store does not answer in time, the job is abandoned, memory replaces
// the store, and a later answer of the store is ignored.
type storage struct {
	*loop
	cfg    *Config
	view   *view
	report func(message)

	durable  *durable // used by the running job
	jobs     []*job   // the first is running
	limit    *timer   // of the running job
	failed   sync.WaitGroup
	degraded error // why memory has replaced the store

	loading, loaded bool     // the first read has begun, has ended
	held            int      // pending calls of Forget, for which all other calls wait
	waiters         []func() // for the first read, and for those calls
	reloads         int      // pending reads because another Client has changed the store

	writer      sessionWriter
	staleRecord bool // the store that failed holds an older record of the session
}

func newStorage(l *loop, cfg *Config, v *view, report func(message)) *storage {
	return &storage{loop: l, cfg: cfg, view: v, report: report, durable: &durable{store: cfg.Store}}
}

// A job runs on its own goroutine and returns the function that handles the outcome
// on the loop. If the job is abandoned, silent is called instead. Run must not use
// the loop's data.
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

// then runs f when all jobs queued so far have ended.
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
				s.report(storeFailed{errStoreSilent})
				j.silent()
			})
		})
	})
}

// finish ends the running job, unless it was abandoned before. The next job begins
// after the messages reported by then have been handled.
func (s *storage) finish(j *job, then func()) {
	if len(s.jobs) == 0 || s.jobs[0] != j {
		return
	}
	s.limit.stop()
	j.cancel()
	then()
	s.report(jobDone{})
}

func (s *storage) startNext() {
	if s.jobs = s.jobs[1:]; len(s.jobs) > 0 {
		s.start()
	}
}

// inMemory reports whether memory has replaced the store.
func (s *storage) inMemory() bool { return s.degraded != nil }

// useMemory replaces the failed store by a memory store that contains now. It tries
// to remove the session's record from the failed store. An abandoned job that is
// still running uses the old durable, to which no other code refers.
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

// close runs the queued jobs, removes the session's record unless the session waits
// to be resumed, and closes the store. It takes at most closeTimeout.
func (s *storage) close(sessionWaits bool) error {
	s.limit.stop()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	jobs, d := s.jobs, s.durable
	remove := s.writer.stored && !sessionWaits // The record of a session that ended last may not have been removed yet.
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
