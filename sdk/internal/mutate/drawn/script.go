package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// A script is the running js/scripts/mutants.mjs, which judges mutants of TypeScript.
type script struct {
	command *exec.Cmd
	judging sync.Mutex // one mutant at a time
	in      io.WriteCloser
	out     *bufio.Reader

	Mutants []Mutant `json:"mutants"`
	Tests   string   `json:"tests"`
}

func startScript(root string) (*script, error) {
	s := &script{command: exec.Command("node", filepath.Join(root, "js/scripts/mutants.mjs"))}
	s.command.Stderr = os.Stderr
	var err error
	if s.in, err = s.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewReader(out)
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	return s, s.read(s)
}

func (s *script) read(v any) error {
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("js/scripts/mutants.mjs ended: %w", err)
	}
	return json.Unmarshal(line, v)
}

func (s *script) judge(m Mutant) (verdict, by string, err error) {
	s.judging.Lock()
	defer s.judging.Unlock()
	if err := json.NewEncoder(s.in).Encode(m); err != nil {
		return "", "", err
	}
	var answer struct{ Verdict, By string }
	err = s.read(&answer)
	return answer.Verdict, answer.By, err
}

// stop ends the script, which then removes its copy.
func (s *script) stop() {
	_ = s.in.Close()
	_ = s.command.Wait()
}
