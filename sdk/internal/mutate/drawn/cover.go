package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A suite is the tests of one package.
type suite struct {
	path  string   // of the package
	dir   string   // the folder in which its tests run
	env   []string // the environment of its build
	exec  []string // the command that runs it
	sum   string   // of its test binary
	Tests []test
}

// A test is one test function, or all of a package whose coverage cannot be read.
type test struct {
	Name    string
	Seconds float64
	Lines   map[string][][2]int // the lines that it reaches, by file
}

// slow is the longest duration of a test that is used.
const slow = 3 * time.Minute

func (r *runner) command(ctx context.Context, dir string, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

func (r *runner) output(dir string, env []string, args ...string) (string, error) {
	out, err := r.command(context.Background(), dir, env, args...).Output()
	if err != nil {
		err = fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), err
}

// cover determines which test reaches which line. It uses the file of an earlier run if
// that contains the sum of the same test binary.
func (r *runner) cover(file string) error {
	known := map[string][]test{}
	if data, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(data, &known); err != nil {
			return err
		}
	}
	only, err := regexp.Compile(*flagSuites)
	if err != nil {
		return err
	}
	wasm := []string{"GOOS=js", "GOARCH=wasm"}
	seen := map[string]bool{}
	for _, env := range [][]string{nil, wasm} {
		list, err := r.output(r.root, env, append([]string{"go", "list", "-e", "-f",
			"{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}}{{end}}"}, r.patterns()...)...)
		if err != nil {
			return err
		}
		for _, line := range strings.Split(list, "\n") {
			path, dir, ok := strings.Cut(line, " ")
			if !ok || seen[path] || !only.MatchString(path) || strings.HasPrefix(path, r.module+"/sdk/internal/mutate") {
				continue
			}
			seen[path] = true
			s := suite{path: path, dir: dir, env: env}
			if err := r.learn(&s, known); err != nil {
				return err
			}
			r.suites = append(r.suites, s)
			data, err := json.Marshal(known)
			if err == nil {
				err = os.WriteFile(file, data, 0o600)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// learn runs each test of a suite by itself.
func (r *runner) learn(s *suite, known map[string][]test) error {
	program := filepath.Join(r.temp, "control.test")
	if _, err := r.output(r.root, s.env, "go", "test", "-c", "-vet=off", "-cover", "-coverpkg="+r.module+"/...", "-o", program, s.path); err != nil {
		return err
	}
	data, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	s.sum = fmt.Sprintf("%x", sha256.Sum256(data))
	runners := [][]string{nil}
	if s.env != nil {
		runners = [][]string{{r.nodeExec}, {filepath.Join(r.root, "bin/browsertest")}}
	}
	s.exec = runners[0]
	if known[s.sum] != nil {
		s.Tests = known[s.sum]
		if s.Tests[0].Name == "." {
			s.exec = runners[1]
		}
		return nil
	}
	list, err := r.output(s.dir, s.env, append(s.exec, program, "-test.list", ".")...)
	if err != nil {
		return err
	}
	for _, name := range strings.Fields(list) {
		if strings.HasPrefix(name, "Benchmark") || strings.HasPrefix(name, "TestMutant") {
			continue
		}
		t := test{Name: name}
		profile := filepath.Join(r.temp, "profile")
		_ = os.Remove(profile)
		ok, _, _ := r.timed(&t, s, program, slow, "-test.run", "^"+name+"$", "-test.coverprofile", profile)
		if data, err := os.ReadFile(profile); ok && err == nil {
			t.Lines = r.lines(data)
			s.Tests = append(s.Tests, t)
		}
		fmt.Fprintf(os.Stderr, "%s %s: %.1f s, passes: %v\n", s.path, name, t.Seconds, ok)
	}
	if len(s.Tests) == 0 && s.env != nil { // It cannot run in Node, and a browser has no files.
		s.exec = runners[1]
		t := test{Name: ".", Lines: map[string][][2]int{}}
		if _, err := r.output(r.root, s.env, "go", "test", "-c", "-vet=off", "-o", program, s.path); err != nil {
			return err
		}
		if ok, _, output := r.timed(&t, s, program, slow); !ok {
			return fmt.Errorf("%s fails:\n%s", s.path, output)
		}
		files, _ := filepath.Glob(filepath.Join(s.dir, "*.go"))
		for _, f := range files {
			f, _ = filepath.Rel(r.root, f)
			t.Lines[filepath.ToSlash(f)] = [][2]int{{1, 1 << 30}}
		}
		s.Tests = append(s.Tests, t)
	}
	if len(s.Tests) > 0 {
		known[s.sum] = s.Tests
	}
	return nil
}

var ended = regexp.MustCompile(`(?m)^(panic: test timed out|.*the test did not end within|fatal error: .*(out of|allocate) memory)`)

// timed runs tests of a suite with a time limit. It reports whether they passed, and
// whether it ended them because they took too much time or memory.
func (r *runner) timed(t *test, s *suite, program string, limit time.Duration, args ...string) (ok, endless bool, output string) {
	grace := 10 * time.Second
	if s.env != nil {
		grace += 2 * time.Minute // in which browsertest ends its browser
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit+grace)
	defer cancel()
	args = slices.Concat(s.exec, []string{program, "-test.timeout", limit.String()}, args)
	if s.env == nil { // A mutant may also use up the memory.
		args = slices.Concat([]string{"sh", "-c", `ulimit -v 8000000; exec "$@"`, "sh"}, args)
	}
	var out bytes.Buffer
	cmd := r.command(ctx, s.dir, s.env, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	err := cmd.Run()
	t.Seconds = time.Since(start).Seconds()
	return err == nil, ctx.Err() != nil || ended.Match(out.Bytes()), out.String()
}

var block = regexp.MustCompile(`(?m)^(.*):(\d+)\.\d+,(\d+)\.\d+ \d+ [1-9]`)

// lines returns the reached lines of a coverage profile.
func (r *runner) lines(profile []byte) map[string][][2]int {
	lines := map[string][][2]int{}
	for _, b := range block.FindAllStringSubmatch(string(profile), -1) {
		file := strings.TrimPrefix(b[1], r.module+"/")
		from, _ := strconv.Atoi(b[2])
		to, _ := strconv.Atoi(b[3])
		lines[file] = append(lines[file], [2]int{from, to})
	}
	return lines
}

// reaches reports whether t reaches the line, or any line of the file if the line is
// outside of functions.
func (t test) reaches(file string, line int, outside bool) bool {
	for _, l := range t.Lines[file] {
		if outside || l[0] <= line && line <= l[1] {
			return true
		}
	}
	return false
}
