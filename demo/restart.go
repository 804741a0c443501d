package main

import (
	"net/http"
	"time"
)

// serveRestart restarts the XMPP server. It answers with the milliseconds that it took.
func (d *demo) serveRestart(w http.ResponseWriter, _ *http.Request) {
	if !d.restarting.TryLock() {
		writeError(w, http.StatusConflict, "the server is being restarted already")
		return
	}
	defer d.restarting.Unlock()
	start := time.Now()
	if err := d.server.Restart(); err != nil {
		writeError(w, http.StatusBadGateway, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, map[string]int64{"ms": time.Since(start).Milliseconds()})
}
