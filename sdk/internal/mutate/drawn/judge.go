package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"xmpp-pam/sdk/internal/mutate"
)

// Verdicts on a mutant.
const (
	found     = "found"     // a test failed, twice, or did not end although it ends without the mutant
	survived  = "survived"  // every test that reaches it passed
	unreached = "unreached" // no test reaches it
	endless   = "endless"   // a test took too much time or memory, perhaps because the machine is busy: not found
	invalid   = "invalid"   // it does not compile, and is not counted
)

// A batch is tests of one suite that run together.
type batch struct {
	suite   *suite
	names   []string
	seconds float64
}

// batches returns the tests that reach m: those of its own package first, then those of
// the fastest packages, and the fast tests of a package before its slow ones. It omits
// tests that would exceed the budget.
func (r *runner) batches(m Mutant) (all []batch, left int) {
	type reaching struct {
		*suite
		tests   []test
		own     bool
		seconds float64
	}
	var suites []reaching
	for i := range r.suites {
		s := reaching{suite: &r.suites[i], own: r.suites[i].dir == filepath.Dir(filepath.Join(r.root, m.File))}
		for _, t := range s.Tests {
			if t.reaches(m.File, m.Reach, m.Outside) {
				s.tests = append(s.tests, t)
				s.seconds += t.Seconds
			}
		}
		if len(s.tests) > 0 {
			suites = append(suites, s)
		}
	}
	slices.SortStableFunc(suites, func(a, b reaching) int {
		if a.own != b.own {
			if a.own {
				return -1
			}
			return 1
		}
		return int(1000 * (a.seconds - b.seconds))
	})
	total := 0.0
	for _, s := range suites {
		slices.SortStableFunc(s.tests, func(a, b test) int { return int(1000 * (a.Seconds - b.Seconds)) })
		most, last := 5.0, -1
		for _, t := range s.tests {
			if total += t.Seconds; total > r.budget.Seconds() && len(all) > 0 {
				left++
				continue
			}
			if last < 0 || all[last].seconds+t.Seconds > most {
				all, last, most = append(all, batch{suite: s.suite}), len(all), 4*most
			}
			b := &all[last]
			b.names, b.seconds = append(b.names, t.Name), b.seconds+t.Seconds
		}
	}
	return all, left
}

var failure = regexp.MustCompile(`(?m)^--- FAIL: (\w+)`)

// judge runs the tests that reach a mutant of the Go code. Its files are in temp.
func (r *runner) judge(m Mutant, temp string) (verdict, by string, err error) {
	batches, left := r.batches(m)
	if len(batches) == 0 {
		return unreached, "", nil
	}
	path := filepath.Join(r.root, m.File)
	text := r.tree[path]
	changed := mutate.Tree{path: slices.Concat(text[:m.From], []byte(m.New), text[m.To:])}
	overlay, err := changed.Overlay(temp)
	if err != nil {
		return "", "", err
	}
	program, built := filepath.Join(temp, "mutant.test"), (*suite)(nil)
	for _, b := range batches {
		if b.suite != built {
			if output, err := r.build(b.suite, program, "-overlay", overlay); err != nil {
				return invalid, output, nil
			}
			built = b.suite
		}
		limit := 10*time.Second + time.Duration(4*b.seconds*float64(time.Second))
		run := func(names ...string) (ok, endless bool, output string) {
			return r.timed(&test{}, b.suite, program, limit, only(names)...)
		}
		ok, ended, output := run(b.names...)
		switch {
		case ok:
			continue
		case ended && r.ends(b, temp, limit):
			return found, b.suite.path + " does not end", nil
		case ended:
			return endless, b.suite.path, nil
		}
		// A test that fails by chance, on a busy machine, detects nothing.
		names := b.names
		if f := failure.FindStringSubmatch(output); f != nil && names[0] != "." {
			names = f[1:]
		}
		if ok, _, _ := run(names...); !ok {
			return found, b.suite.path + " " + strings.Join(names, " "), nil
		}
		fmt.Fprintf(os.Stderr, "%s failed once\n", names)
	}
	if left > 0 {
		by = fmt.Sprintf("%d slow tests were not tried", left)
	}
	return survived, by, nil
}

// build builds the tests of a suite.
func (r *runner) build(s *suite, program string, flags ...string) (output string, err error) {
	args := slices.Concat([]string{"go", "test", "-c", "-vet=off", "-ldflags=-s -w"}, flags, []string{"-o", program, s.path})
	out, err := r.command(context.Background(), r.root, s.env, args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// only returns the arguments that run the tests of these names.
func only(names []string) []string {
	if names[0] == "." {
		return nil
	}
	return []string{"-test.failfast", "-test.run", "^(" + strings.Join(names, "|") + ")$"}
}

// ends reports whether the tests of a batch end without a mutant, now, in a quarter of
// the time that did not suffice with it.
func (r *runner) ends(b batch, temp string, limit time.Duration) bool {
	program := filepath.Join(temp, "unchanged.test")
	if _, err := r.build(b.suite, program); err != nil {
		return false
	}
	var took test
	ok, _, _ := r.timed(&took, b.suite, program, limit, only(b.names)...)
	return ok && took.Seconds < limit.Seconds()/4
}
