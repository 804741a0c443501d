package main

import (
	"fmt"
	"net/http"
)

// This file disconnects devices from the network and connects them again.

// servePlug connects a device to the network.
func (d *demo) servePlug(w http.ResponseWriter, r *http.Request) {
	if dev := d.pathDevice(w, r); dev != nil {
		dev.line.refuse.Store(false)
		writeJSON(w, http.StatusOK, dev.status())
	}
}

// serveUnplug disconnects a device from the network. With session=end the server also
// ends its sessions, as it does when they are not resumed in time.
func (d *demo) serveUnplug(w http.ResponseWriter, r *http.Request) {
	end := r.FormValue("session")
	if end != "" && end != "end" {
		writeError(w, http.StatusBadRequest, "session can only be end")
		return
	}
	dev := d.pathDevice(w, r)
	if dev == nil {
		return
	}
	dev.line.refuse.Store(true)
	dev.cut()
	if end != "" {
		for _, jid := range dev.line.takeResumable() {
			if err := d.server.EndSession(jid); err != nil {
				writeError(w, http.StatusBadGateway, fmt.Sprintf("the session %s does not end: %v", jid, err))
				return
			}
		}
	}
	writeJSON(w, http.StatusOK, dev.status())
}

// serveCut drops the sockets of a device once.
func (d *demo) serveCut(w http.ResponseWriter, r *http.Request) {
	if dev := d.pathDevice(w, r); dev != nil {
		writeJSON(w, http.StatusOK, map[string]int{"cut": dev.cut()})
	}
}

// pathDevice returns the device that the path names, by its id or its name, or answers
// the request and returns nil.
func (d *demo) pathDevice(w http.ResponseWriter, r *http.Request) *device {
	dev := d.device(r.PathValue("id"))
	if dev == nil {
		writeError(w, http.StatusNotFound, "there is no such device")
	}
	return dev
}
