// The part of the page that shows the messages of the devices: as lanes, and as a log of what was on the wire.

import { Lanes } from "./lanes.js";
import { WireLog } from "./wirelog.js";

const $ = (id) => document.getElementById(id);

/** Shows the messages of the devices on the stage. */
export function connectProtocol(stage) {
  const lanes = new Lanes({ list: $("lanes"), head: $("lanes-head"), empty: $("lanes-empty"), all: $("lanes-all") });
  const log = new WireLog({
    list: $("log"), empty: $("log-empty"), device: $("log-device"), kind: $("log-kind"), text: $("log-text"),
    save: $("log-save"),
  });
  $("lanes-clear").addEventListener("click", () => lanes.clear());
  $("log-clear").addEventListener("click", () => log.clear());
  stage.addEventListener("devices", () => {
    const phone = stage.get("Phone"); // on the left, as above
    const panes = [...stage.panes.values()].toSorted((a, b) => (b === phone) - (a === phone));
    for (const view of [lanes, log]) view.setDevices(panes);
  });
  stage.on("frames", (pane, { frames }) => {
    for (const view of [lanes, log]) view.add(pane, frames);
  });
}
