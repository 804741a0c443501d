// The page that encloses the devices. It opens and closes devices, disconnects them
// from the network, and shows what they send and receive. It has no client itself.

import { WireLog } from "./wirelog.js";

const $ = (id) => document.getElementById(id);
const panes = new Map(); // origin → {device, pane, frame, plug, link, width, height}
let accounts = [];
const log = new WireLog({ list: $("log"), empty: $("log-empty"), device: $("log-device"), kind: $("log-kind") });
$("log-clear").addEventListener("click", () => log.clear());

// --- About this demo ---------------------------------------------------------

async function showInfo() {
  const info = await request("GET", "/info.json");
  $("server").textContent = `${info.server.name}, XEP-0376 ${info.server.pam}`;
  const { bytes, packed, encoding } = info.wasm;
  const mb = (n) => `${(n / 1e6).toFixed(2)} MB`;
  $("wasm").textContent = packed ? `${mb(packed)} with ${encoding === "br" ? "brotli" : encoding}, ${mb(bytes)} unpacked` : `${mb(bytes)}, not compressed`;
  accounts = info.accounts.map((a) => a.name);
  $("publish-node").append(...info.nodes.map((n) => new Option(n.title ?? n.name, n.name)));
}

// --- Devices -------------------------------------------------------------------

function addPane(device) {
  const origin = new URL(device.url).origin;
  const pane = document.createElement("article");
  pane.className = "pane";
  pane.setAttribute("aria-label", device.name);

  const bar = document.createElement("div");
  bar.className = "pane-bar";
  const link = document.createElement("a");
  link.href = device.url;
  link.target = "_blank";
  link.rel = "noopener";
  link.textContent = `port ${new URL(device.url).port}`;
  link.title = "Open this device in a tab of its own";
  const account = newAccountChoice(origin, device.name);
  const plug = button("Unplug", () => setPlug(origin, !panes.get(origin).device.refuse));
  plug.dataset.testid = "plug";
  const remove = button("Remove", () => removeDevice(origin));
  remove.dataset.testid = "remove-device";
  remove.setAttribute("aria-label", `Remove ${device.name}`);
  bar.append(link, account, plug, remove);

  const frame = document.createElement("iframe");
  frame.dataset.testid = "device-frame";
  frame.dataset.device = device.id;
  frame.name = device.id;
  frame.title = `${device.name}: feeds and entries`;
  frame.src = device.url;

  pane.append(bar, frame);
  panes.set(origin, { device, pane, frame, plug, link, width: 0, height: 0 });
  $("devices").append(pane);
  log.addDevice(device);
  showPlug(origin, device);
  $("no-devices").hidden = true;
}

/** Creates the selection of a device's account. The device's page is reloaded for the new account; stored lists are kept. */
function newAccountChoice(origin, name) {
  const select = document.createElement("select");
  select.dataset.testid = "account-choice";
  select.setAttribute("aria-label", `Account of ${name}`);
  select.append(...accounts.map((a) => new Option(a)));
  select.addEventListener("change", () => {
    const { device, frame, link } = panes.get(origin);
    link.href = frame.src = `${device.url}?account=${encodeURIComponent(select.value)}`;
    happened(`${device.name} now uses the account ${select.value}.`);
  });
  return select;
}

async function newDevice() {
  const device = await request("POST", "/devices");
  addPane(device);
  happened(`${device.name} was added. Its storage is empty.`);
  panes.get(new URL(device.url).origin).frame.scrollIntoView({ block: "nearest", behavior: "smooth" });
}

async function removeDevice(origin) {
  const { device, pane } = panes.get(origin);
  await request("DELETE", `/devices/${device.id}`);
  panes.delete(origin);
  pane.remove();
  log.removeDevice(device);
  $("no-devices").hidden = panes.size > 0;
  $("new-device").focus();
  happened(`${device.name} was removed.`);
}

async function setPlug(origin, off) {
  const { device } = panes.get(origin);
  showPlug(origin, await request("POST", `/devices/${device.id}/${off ? "unplug" : "plug"}`));
  happened(off ? `${device.name} is unplugged: its connection was cut, and new ones are refused.` : `${device.name} is plugged in. It reconnects with its next attempt.`);
}

function showPlug(origin, device) {
  const entry = panes.get(origin);
  entry.device = device;
  entry.pane.classList.toggle("unplugged", device.refuse);
  entry.plug.textContent = device.refuse ? "Plug in" : "Unplug";
  entry.plug.setAttribute("aria-label", `${entry.plug.textContent} ${device.name}`);
}

// --- The publisher -------------------------------------------------------------

let published = null; // the last entry, to measure the delay until devices show it

async function publish(count) {
  const node = $("publish-node");
  const feed = node.selectedOptions[0].textContent;
  const title = count === 1 ? $("publish-text").value.trim() : "";
  published = { node: node.value, feed, count, at: performance.timeOrigin + performance.now(), shown: [] };
  happened(`${count === 1 ? "An entry was" : `${count} entries were`} published in ${feed}.`);
  await request("POST", `/publish?${new URLSearchParams({ node: node.value, count, title })}`);
  $("publish-text").value = "";
}

$("publish").addEventListener("submit", (event) => {
  event.preventDefault();
  act(() => publish(1));
});
$("publish-5").addEventListener("click", () => act(() => publish(5)));

function showEntry(device, { node, at }) {
  if (published?.node !== node || published.shown.some((s) => s.startsWith(device.name))) return;
  published.shown.push(`${device.name} ${Math.max(0, Math.round(at - published.at))} ms`);
  happened(`${published.count === 1 ? "An entry was" : `${published.count} entries were`} published in ${published.feed}. Until it was shown: ${published.shown.join(", ")}.`);
}

// --- Messages from devices -----------------------------------------------------

let asked = null; // the user's last request, to measure the delay until other devices show it

window.addEventListener("message", (event) => {
  const entry = panes.get(event.origin);
  if (!entry || event.source !== entry.frame.contentWindow) return; // not from a device of this page
  const { device } = entry;
  const message = event.data ?? {};
  switch (message.type) {
    case "frames":
      log.add(device, message.frames);
      break;
    case "size":
      fit(entry, Number(message.height) || 0);
      break;
    case "ready":
      $("startup").textContent = `${Number(message.ms)} ms (${device.name}, in a ${message.where === "main" ? "page" : "worker"})`;
      break;
    case "asked":
      asked = { by: device, what: message.what, node: String(message.node), key: String(message.key), at: Number(message.at), seen: [] };
      break;
    case "changed":
      showChange(device, message);
      break;
    case "entry":
      showEntry(device, message);
      break;
  }
});

/** Sets the height of a frame. A frame grows with its page but does not shrink, so that the layout below does not move. */
function fit(entry, height) {
  const { frame } = entry;
  if (entry.width !== frame.clientWidth) Object.assign(entry, { width: frame.clientWidth, height: 0 });
  entry.height = Math.min(Math.max(entry.height, height, 320), 1600);
  frame.style.height = `${entry.height}px`;
}

function showChange(device, { keys, origin, at }) {
  if (!asked || asked.by === device || origin !== "other-device" || !keys.includes(asked.key)) return;
  asked.seen.push(`${device.name} ${Math.max(0, Math.round(at - asked.at))} ms`);
  const did = asked.what === "subscribe" ? "followed" : "unfollowed";
  happened(`${asked.by.name} ${did} “${asked.node}”. From the click until others showed it: ${asked.seen.join(", ")}.`);
}

let aging;

/** Shows the last event. On a narrow screen it overlays the page for some seconds. */
function happened(text, tone = "") {
  clearTimeout(aging);
  $("happened").className = `happened ${tone}`;
  $("happened").textContent = text;
  aging = setTimeout(() => $("happened").classList.add("old"), 10_000);
}

// --- Helpers -----------------------------------------------------------------

async function request(method, path) {
  const response = await fetch(path, { method });
  if (response.status === 204) return null;
  const body = await response.json();
  if (!response.ok) throw new Error(body.error);
  return body;
}

function button(text, action) {
  const b = document.createElement("button");
  b.type = "button";
  b.className = "quiet";
  b.textContent = text;
  b.addEventListener("click", () => act(action));
  return b;
}

/** Runs the action of a button, and shows an error if it fails. */
async function act(action) {
  try {
    await action();
  } catch (error) {
    happened(`The action failed: ${error.message}`, "bad");
  }
}

$("new-device").addEventListener("click", () => act(newDevice));
act(async () => {
  await showInfo();
  (await request("GET", "/devices")).forEach(addPane);
});
