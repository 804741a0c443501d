package catchup

import (
	"slices"
	"testing"
)

// A transcript has one line for each input ("> …") and output ("< …") of a machine; see
// player_test.go. Progress is left out.
type transcript struct{ name, text string }

func TestTranscripts(t *testing.T) {
	for _, tt := range slices.Concat(
		archiveTranscripts, itemsTranscripts, flowTranscripts, placeTranscripts, compareTranscripts, failureTranscripts, groupTranscripts, nodesTranscripts,
	) {
		t.Run(tt.name, func(t *testing.T) { play(t, tt.text) })
	}
}
