// Drawn creates mutants, chosen at random by a seed, of the code of sdk, wasm and js/src,
// and reports which of them the tests detect:
//
//	go run ./sdk/internal/mutate/drawn -seed 1 -n 300
//
// It changes no file of the repository. It keeps its results below bin, so that a run
// continues where the last one ended: a detected mutant is not tried again before its
// file changes, any other mutant not before its file or a test changes.
package main

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"xmpp-pam/sdk/internal/mutate"
)

var (
	flagSeed    = flag.String("seed", "1", "what the mutants are drawn by")
	flagN       = flag.Int("n", 300, "how many are drawn")
	flagOnly    = flag.String("only", "", "draw only in files whose path matches this")
	flagSuites  = flag.String("suites", "", "use only tests of Go packages whose path matches this")
	flagBudget  = flag.Duration("budget", 2*time.Minute, "time of the tests that one mutant is given, as they take without it")
	flagReasons = flag.String("reasons", "sdk/internal/mutate/drawn/reasons.txt", "what is known of mutants, below the root")
)

type runner struct {
	root, module, temp, nodeExec string

	tree   mutate.Tree
	suites []suite
	script *script
	budget time.Duration
}

// A Result is one line of the file of results.
type Result struct {
	ID      string  `json:"id"`
	Verdict string  `json:"verdict"`
	By      string  `json:"by,omitempty"` // the tests, or the reason why it is invalid
	Seconds float64 `json:"seconds"`
	Source  string  `json:"source"` // the sum of the file
	Tests   string  `json:"tests"`  // the sum of all tests
}

// holds reports whether a result is still valid.
func (r Result) holds(source, tests string) bool {
	return r.Source == source && (r.Tests == tests || r.Verdict == found || r.Verdict == invalid)
}

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "drawn:", err)
		os.Exit(1)
	}
}

func (r *runner) patterns() []string { return []string{"./sdk/...", "./wasm/..."} }

func run() (err error) {
	r := &runner{budget: *flagBudget}
	if r.root, r.tree, err = mutate.ReadTree(); err != nil {
		return err
	}
	if r.temp, err = os.MkdirTemp("", "mutants-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.temp)
	if r.module, err = r.output(r.root, nil, "go", "list", "-m"); err != nil {
		return err
	}
	goroot, err := r.output(r.root, nil, "go", "env", "GOROOT")
	if err != nil {
		return err
	}
	r.nodeExec = filepath.Join(goroot, "lib/wasm/go_js_wasm_exec")

	all, err := generate(r.root, r.tree, []string{"sdk", "wasm"})
	if err != nil {
		return err
	}
	r.script, err = startScript(r.root)
	if err != nil {
		return err
	}
	defer r.script.stop()
	all = append(all, r.script.Mutants...)
	identify(all)
	only, err := regexp.Compile(*flagOnly)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(m Mutant) bool { return !only.MatchString(m.File) })
	draw(all, *flagSeed)

	if err := os.MkdirAll(filepath.Join(r.root, "bin"), 0o755); err != nil {
		return err
	}
	reasons, err := readReasons(filepath.Join(r.root, *flagReasons))
	if err != nil {
		return err
	}
	results, err := r.judgeAll(all, filepath.Join(r.root, "bin/mutants.jsonl"))
	if err != nil {
		return err
	}
	report(os.Stdout, all, results, reasons)
	return nil
}

// judgeAll judges the requested number of mutants, two at a time.
func (r *runner) judgeAll(all []Mutant, file string) (map[string]Result, error) {
	known, results := map[string]Result{}, map[string]Result{}
	if data, err := os.ReadFile(file); err == nil {
		for line := range strings.Lines(string(data)) {
			var result Result
			if json.Unmarshal([]byte(line), &result) == nil { // The last may have been cut.
				known[result.ID] = result
			}
		}
	}
	log, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if slices.ContainsFunc(all, func(m Mutant) bool { return strings.HasSuffix(m.File, ".go") }) {
		if err := r.cover(filepath.Join(r.root, "bin/mutants-cover.json")); err != nil {
			return nil, err
		}
	}
	var sums []string
	for _, s := range r.suites {
		sums = append(sums, s.sum)
	}
	tests := sum(strings.Join(sums, " "))
	var (
		mu            sync.Mutex
		changed       = sync.NewCond(&mu)
		next          int // index of the next mutant
		taken, judged int // mutants that are not invalid, as far as is known; judged are done
		failed        error
	)
	work := func(temp string) {
		mu.Lock()
		defer mu.Unlock()
		for {
			for failed == nil && taken == *flagN && judged < *flagN {
				changed.Wait() // Another may be invalid.
			}
			if failed != nil || taken == *flagN || next == len(all) {
				return
			}
			m := all[next]
			next, taken = next+1, taken+1
			mu.Unlock()
			result, err := r.result(m, known[m.ID], tests, temp)
			mu.Lock()
			if err == nil && result != known[m.ID] {
				var data []byte
				if data, err = json.Marshal(result); err == nil {
					_, err = log.Write(append(data, '\n'))
				}
			}
			failed = cmp.Or(failed, err)
			results[m.ID] = result
			if result.Verdict == invalid {
				taken--
			} else {
				judged++
				fmt.Fprintf(os.Stderr, "%d %s:%d %s: %s %s\n", judged, m.File, m.Line, m.ID, result.Verdict, result.By)
			}
			changed.Broadcast()
		}
	}
	var workers sync.WaitGroup
	for i := range 2 {
		temp := filepath.Join(r.temp, strconv.Itoa(i))
		if err := os.Mkdir(temp, 0o755); err != nil {
			return nil, err
		}
		workers.Go(func() { work(temp) })
	}
	workers.Wait()
	return results, failed
}

// result returns the result for a mutant: the known one, if it is still valid. tests is
// the sum of the Go tests.
func (r *runner) result(m Mutant, known Result, tests, temp string) (Result, error) {
	text, err := os.ReadFile(filepath.Join(r.root, m.File))
	if err != nil {
		return Result{}, err
	}
	script := !strings.HasSuffix(m.File, ".go")
	if script {
		tests = r.script.Tests
	}
	result := Result{ID: m.ID, Source: sum(string(text)), Tests: tests}
	if known.ID == m.ID && known.holds(result.Source, tests) {
		return known, nil
	}
	start := time.Now()
	if script {
		result.Verdict, result.By, err = r.script.judge(m)
	} else {
		result.Verdict, result.By, err = r.judge(m, temp)
	}
	result.Seconds = time.Since(start).Seconds()
	return result, err
}

func sum(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text)))[:16] }

// readReasons reads lines of "equivalent" or "survives", an ID and a reason, with
// tabs between.
func readReasons(file string) (map[string][2]string, error) {
	reasons := map[string][2]string{}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		if line := s.Text(); line != "" && line[0] != '#' {
			fields := strings.Split(line, "\t")
			if len(fields) != 3 || fields[0] != "equivalent" && fields[0] != "survives" {
				return nil, fmt.Errorf("%s:%d is no reason", file, n)
			}
			reasons[fields[1]] = [2]string{fields[0], fields[2]}
		}
	}
	return reasons, s.Err()
}
