package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
)

// report prints the number of found mutants, by kind and by folder, and a list of the
// others. It does not count a mutant with a reason to be equivalent. A mutant that no
// test reaches was not found; nor was one with which a test took too long, if the test
// also did so without the mutant.
func report(w io.Writer, all []Mutant, results map[string]Result, reasons map[string][2]string) {
	type row map[string]int
	kinds, folders := map[string]row{}, map[string]row{}
	count := func(rows map[string]row, key, verdict string) {
		if rows[key] == nil {
			rows[key] = row{}
		}
		rows[key][verdict]++
	}
	var others []Mutant
	invalids := 0
	for _, m := range all {
		r, drawn := results[m.ID]
		switch {
		case !drawn:
			continue
		case r.Verdict == invalid:
			invalids++
			continue
		case r.Verdict != found && reasons[m.ID][0] == "equivalent":
			r.Verdict = "equivalent"
		case r.Verdict != found:
			others = append(others, m)
		}
		for _, key := range []string{m.Kind, "all"} {
			count(kinds, key, r.Verdict)
		}
		count(folders, path.Dir(m.File), r.Verdict)
	}
	columns := []string{found, survived, unreached, endless, "equivalent"}
	for _, rows := range []map[string]row{folders, kinds} {
		fmt.Fprintf(w, "\n%-28s", "")
		for _, c := range columns {
			fmt.Fprintf(w, "%11s", c)
		}
		fmt.Fprintf(w, "%11s\n", "found of")
		for _, key := range slices.Sorted(maps.Keys(rows)) {
			fmt.Fprintf(w, "%-28s", key)
			total := 0
			for _, c := range columns {
				fmt.Fprintf(w, "%11d", rows[key][c])
				total += rows[key][c]
			}
			counted := max(1, total-rows[key]["equivalent"])
			fmt.Fprintf(w, "%5d %% %3d\n", 100*rows[key][found]/counted, counted)
		}
	}
	sum := kinds["all"]
	counted := max(1, len(others)+sum[found])
	fmt.Fprintf(w, "\nseed %s: %d of %d were found, %d %%; %d more could not be built\n", *flagSeed,
		sum[found], counted, 100*sum[found]/counted, invalids)
	slices.SortFunc(others, func(a, b Mutant) int { return cmp.Or(cmp.Compare(a.File, b.File), a.Line-b.Line) })
	for _, m := range others {
		r := results[m.ID]
		fmt.Fprintf(w, "\n%s:%d: %s %s\n\t%s\n\t- %s\n\t+ %s\n", m.File, m.Line, r.Verdict, r.By, m.ID, m.Old, m.New)
		fmt.Fprintf(w, "\treason: %s\n", cmp.Or(reasons[m.ID][1], "none is given"))
	}
}
