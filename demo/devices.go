package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"
)

// maxDevices is the largest number of devices open at the same time.
const maxDevices = 16

const maxDeviceName = 40 // bytes

var errDeviceName = errors.New("not a name of a device")

var deviceNames = []string{"Laptop", "Phone", "Tablet", "Desktop", "Watch", "Kiosk"}

// openDevice opens a device on a port of its own. Without a name it uses the next
// default name.
func (d *demo) openDevice(name string) (*device, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.devices) >= maxDevices {
		return nil, fmt.Errorf("there are %d devices already: remove one first", maxDevices)
	}
	taken := func(name string) bool {
		return slices.ContainsFunc(d.devices, func(dev *device) bool { return dev.ID == name || dev.Name == name })
	}
	switch {
	case name == "":
		name = d.defaultName()
		for n := 2; taken(name); n++ {
			name = fmt.Sprintf("%s %d", d.defaultName(), n)
		}
	case len(name) > maxDeviceName || !utf8.ValidString(name):
		return nil, fmt.Errorf("%w: it has at most %d bytes of UTF-8", errDeviceName, maxDeviceName)
	case taken(name):
		return nil, fmt.Errorf("%w: %q is open already", errDeviceName, name)
	}
	d.opened++
	dev, err := newDevice("d"+strconv.Itoa(d.opened), name, d)
	if err != nil {
		return nil, err
	}
	d.devices = append(d.devices, dev)
	return dev, nil
}

func (d *demo) defaultName() string {
	if d.opened < len(deviceNames) {
		return deviceNames[d.opened]
	}
	return fmt.Sprintf("Device %d", d.opened+1)
}

// closeDevice closes a device, and reports whether there was one.
func (d *demo) closeDevice(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, dev := range d.devices {
		if dev.ID == id {
			d.devices = append(d.devices[:i:i], d.devices[i+1:]...)
			dev.Close()
			return true
		}
	}
	return false
}

func (d *demo) closeDevices() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, dev := range d.devices {
		dev.Close()
	}
	d.devices = nil
}

// device returns the device with this id or name, or nil.
func (d *demo) device(key string) *device {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, dev := range d.devices {
		if dev.ID == key || dev.Name == key {
			return dev
		}
	}
	return nil
}

func (d *demo) serveDevices(w http.ResponseWriter, _ *http.Request) {
	d.mu.Lock()
	list := make([]deviceStatus, 0, len(d.devices))
	for _, dev := range d.devices {
		list = append(list, dev.status())
	}
	d.mu.Unlock()
	writeJSON(w, http.StatusOK, list)
}

func (d *demo) serveOpenDevice(w http.ResponseWriter, r *http.Request) {
	dev, err := d.openDevice(r.FormValue("name"))
	if errors.Is(err, errDeviceName) {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	if err != nil {
		writeError(w, http.StatusConflict, err.Error())
		return
	}
	writeJSON(w, http.StatusCreated, dev.status())
}

func (d *demo) serveCloseDevice(w http.ResponseWriter, r *http.Request) {
	if !d.closeDevice(r.PathValue("id")) {
		writeError(w, http.StatusNotFound, "there is no such device")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
