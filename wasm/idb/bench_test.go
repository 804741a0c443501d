//go:build js && wasm

package idb

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"xmpp-pam/sdk/store"
)

// BenchmarkLayout measures ways to store a list of 10,000 subscriptions of 74
// bytes each together with its version: in one record, in buckets, in a record
// per row.
func BenchmarkLayout(b *testing.B) {
	const rows, rowSize = 10_000, 74
	for _, records := range []int{1, 16, 64, 256, rows} {
		value := make([]byte, rows/records*rowSize)
		rand.Read(value)
		ops := []store.Op{store.Put("meta", []byte("version"))}
		for i := range records {
			ops = append(ops, store.Put(fmt.Sprintf("list/%05d", i), value))
		}
		s := open(b, fresh(), nil)
		measure := func(name string, do func(ctx context.Context) error) {
			b.Run(fmt.Sprintf("%d/%s", records, name), func(b *testing.B) {
				start := time.Now()
				for b.Loop() {
					if err := do(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(time.Since(start).Microseconds())/1000/float64(b.N), "ms/op")
				b.ReportMetric(0, "ns/op")
			})
		}
		meta := []store.Record{{Key: "meta", Value: []byte("version")}}
		measure("commit the list", func(ctx context.Context) error { return s.Commit(ctx, nil, ops) })
		measure("commit one change", func(ctx context.Context) error { return s.Commit(ctx, meta, ops[:2]) })
		measure("load", func(ctx context.Context) error {
			got, err := s.Scan(ctx, store.Range{From: "list/", To: "list0"})
			if err == nil && len(got) != records {
				err = fmt.Errorf("%d records, want %d", len(got), records)
			}
			return err
		})
	}
}
