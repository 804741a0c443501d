//go:build !js

package client_test

import (
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/internal/element"
)

// TestResumedNodesAreCurrent resumes the session of an earlier run, in which all nodes were
// read: neither they nor their service are asked.
func TestResumedNodesAreCurrent(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		c := newSharedStore(t)
		asked := 0
		before := c.f.handle
		c.f.handle = func(s *socket, e *element.Element) bool {
			handled := before(s, e)
			switch {
			case isList(e):
				s.result(e, rowsOfNews("v1", "s1"))
				return true
			case isCatchUp(e):
				asked++
			}
			return handled
		}
		run := c.device(c.Memory, "run", "").connect()
		time.Sleep(time.Minute)
		c.crash(run)
		c.h = c.r.h
		first := asked
		second := c.device(c.Memory, "second", "run").connect()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if first == 0 || asked != first || !second.State().Resumed {
			t.Errorf("%d requests, then %d\n%s", first, asked-first, second.log())
		}
		_ = second.Close()
	})
}
