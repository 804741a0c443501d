// The page around the devices: it puts its parts together. It has no client itself.

import { connectCode } from "./code.js";
import { Comparison } from "./compare.js";
import { ComparisonView } from "./compare-view.js";
import { Delays } from "./delays.js";
import { Ledger } from "./ledger.js";
import { Line } from "./line.js";
import { connectLogin } from "./login.js";
import { connectSwitch, Network, returnWords } from "./network.js";
import { NewDevices } from "./new-device.js";
import { Play } from "./play.js";
import { connectProtocol } from "./protocol.js";
import { connectBreaks } from "./recovery.js";
import { Scale } from "./scale.js";
import { request, Stage } from "./stage.js";
import { sleep } from "./time.js";
import { Traffic } from "./traffic.js";

const $ = (id) => document.getElementById(id);
const stage = new Stage();
const delays = new Delays(stage);
const traffic = new Traffic(stage);
const network = new Network(stage, traffic);
const ledger = new Ledger($("return"));
const play = new Play(stage, delays, network, showReturn);
const still = matchMedia("(prefers-reduced-motion: reduce)");

// The parts of this page, for tests and for the browser's console.
window.pamShell = { stage, play, network };

// --- What happens ---------------------------------------------------------------

/** Shows what has happened. While the page plays, a screen reader does not read it. */
function say(text, tone = "") {
  $("happened").className = tone;
  $("happened").textContent = text;
}

/** Runs an action of the visitor: the page then no longer plays by itself. */
async function act(action) {
  take();
  try {
    await action();
  } catch (error) {
    report(error);
  }
}

const report = (error) => say(`That failed: ${error.message}`, "bad");

/** Leaves the page to the visitor. */
function take() {
  const played = play.running;
  play.stop();
  if (!played) return;
  const away = ["Phone", "Laptop"].find((name) => network.position(stage.get(name)) !== "online");
  say(`It is yours: follow, open, publish, break. ${away ? `${away} is away: bring it online. ` : ""}Press Play to let it go on by itself.`);
}

new Line({ track: $("track"), time: $("delay"), words: $("delay-words") }, delays);
connectCode($("code"), $("copy"), stage);
connectProtocol(stage);

// --- It plays by itself ------------------------------------------------------------

play.addEventListener("say", ({ detail }) => say(detail));
play.addEventListener("change", showPlay);

function showPlay() {
  $("happened").setAttribute("aria-live", play.running ? "off" : "polite");
  for (const pane of stage.panes.values()) if (pane.state) pane.do("quiet", { quiet: play.running }).catch(() => undefined);
  $("play").textContent = play.running ? "Pause" : "Play";
  $("play").hidden = still.matches;
  $("step").classList.toggle("idle", play.running);
  $("steps").textContent = `Step ${play.number} of ${play.length}`;
}

$("play").addEventListener("click", () => (play.running ? play.stop() : play.start()));
$("step").addEventListener("click", () => play.step());
stage.addEventListener("message", ({ detail: { message } }) => message.type === "touched" && take());
still.addEventListener("change", () => {
  if (still.matches) play.stop();
  showPlay();
});

// --- The network --------------------------------------------------------------------

let measured = false; // beside the first return, the slider's figures are shown too
let scale;

/** Shows what a device has missed, beside the size of the whole list, as the other device receives it. */
async function showReturn(back) {
  const missed = () => back.pane.do("missed", { since: back.since });
  ledger.show(back, await missed());
  const other = stage.get(back.pane.name === "Phone" ? "Laptop" : "Phone");
  const { bytes } = await (other.state?.phase === "live" ? other : back.pane).do("wholeList");
  await sleep(1000); // what was read elsewhere is known a little later
  ledger.show(back, await missed(), bytes);
  if (!measured && !ownServer) scale.measure().catch(report);
  measured = true;
}

network.addEventListener("position", ({ detail: { pane, position } }) => {
  document.querySelector(`.device.${pane.name.toLowerCase()}`)?.classList.toggle("cut", position !== "online");
});
network.addEventListener("back", ({ detail }) => {
  if (play.running) return; // the play shows it
  say(returnWords(detail));
  showReturn(detail).catch(report);
});

/** The visitor has moved a switch: while the phone is away for a week, something happens. */
async function onSwitch(pane, position) {
  const moved = network.set(pane, position);
  moved.catch(() => undefined); // reported below
  if (position === "tunnel") say(`${pane.name} is in a tunnel for ten seconds. Publish something meanwhile.`);
  if (position === "week") {
    await stage.until(() => pane.state?.phase !== "live", 10_000, "Cutting the connection");
    const stays = () => network.position(pane) === "week";
    say(`${pane.name} is away, and its session has ended, as after a week. Do something on the other device, then bring it back.`);
    if (pane.name === "Phone" && !ownServer) {
      say("Phone is away, and its session has ended, as after a week. Meanwhile, on the laptop…");
      const words = await play.meanwhile(stays);
      if (stays()) say(`${words} Do more, or bring Phone back online.`);
    }
  }
  await moved;
}

// --- The author --------------------------------------------------------------------

async function publish(count) {
  const node = $("publish-node");
  const title = count === 1 ? $("publish-text").value.trim() : "";
  say(`${count === 1 ? "An entry" : `${count} entries`} of ${node.selectedOptions[0].textContent}…`);
  const shown = [];
  const hear = ({ detail }) => {
    if (detail.what !== "publish" || shown.some((d) => d.to === detail.to)) return;
    shown.push(detail);
    say(`Published in ${node.selectedOptions[0].textContent}. On screen: ${shown.map((d) => `${d.to} ${Math.round(d.ms)} ms`).join(", ")}.`);
  };
  delays.addEventListener("delay", hear);
  setTimeout(() => delays.removeEventListener("delay", hear), 5000);
  await delays.publish(node.value, { count, title });
  $("publish-text").value = "";
  const followers = [...stage.panes.values()].filter((pane) => pane.follows(node.value));
  if (followers.length === 0) say("Published, but no device follows this feed.");
  else if (followers.every((pane) => pane.state.phase !== "live")) say("Published. The devices get it when they are back.");
}

$("publish").addEventListener("submit", (event) => {
  event.preventDefault();
  act(() => publish(1));
});
$("publish-5").addEventListener("click", () => act(() => publish(5)));

delays.addEventListener("delay", ({ detail: { what, from, to, ms } }) => {
  if (play.running || what === "publish") return;
  const did = { subscribe: "followed a feed", unsubscribe: "unfollowed a feed", seen: "read an entry" }[what];
  say(`${from} ${did}: on ${to} after ${Math.round(ms)} ms.`);
});

// --- The server ----------------------------------------------------------------------

let ownServer = null;

function showServer(info) {
  const { name, pam } = info.server;
  $("server-name").textContent = ownServer ? `Your server: ${ownServer.account.split("@")[1]}` : name;
  $("server").classList.toggle("own", ownServer !== null);
  $("server-about").textContent = `${name}; Pubsub Account Management ${pam}.`;
  $("server-long").textContent = ownServer ? "your server" : `the server (${name})`;
  $("switched").textContent = ownServer ? "“A week away” logs a device out." : "Only the network between them is switched.";
  network.foreign = ownServer !== null;
  // What needs the demo's own server.
  for (const part of document.querySelectorAll(".player, .publisher, .scale, .new, .breaks, .compare")) part.inert = network.foreign;
  for (const input of document.querySelectorAll(".net [value=tunnel]")) input.disabled = network.foreign;
}

// --- Start ---------------------------------------------------------------------------

async function start() {
  const info = await request("GET", "/info.json");
  showServer(info);
  const { packed, bytes, encoding } = info.wasm;
  const mb = (n) => `${(n / 1e6).toFixed(2)} MB`;
  $("wasm").textContent = `The program: ${packed ? `${mb(packed)} with ${encoding === "br" ? "Brotli" : encoding}` : `${mb(bytes)}, not compressed`}.`;
  $("publish-node").append(...info.nodes.filter((n) => n.access === "open").map((n) => new Option(n.title ?? n.name, n.name)));

  const devices = await request("GET", "/devices");
  const places = { Phone: $("phone"), Laptop: $("laptop") };
  const fresh = new NewDevices(stage, $("devices"), $("new-template"), traffic);
  for (const device of devices) {
    if (device.refuse) await request("POST", `/devices/${device.id}/plug`); // an earlier page has left it away
    if (places[device.name]) stage.add(device, places[device.name]);
    else fresh.add(device);
  }
  const [phone, laptop] = [stage.get("Phone"), stage.get("Laptop")];
  $("origins").textContent = [phone, laptop].map((pane) => new URL(pane.origin).host).join(", ");
  for (const pane of [phone, laptop]) {
    const group = document.querySelector(`.net-${pane.name.toLowerCase()}`);
    connectSwitch(group, pane, network, (position) => act(() => onSwitch(pane, position)));
  }
  $("new-device").addEventListener("click", () => act(() => fresh.open()));
  connectBreaks($("breaks"), stage, () => phone, { begun: take, ended: say, report });
  scale = new Scale({
    slider: $("scale"), count: $("scale-count"), run: $("scale-run"), time: $("scale-time"),
    whole: $("scale-whole"), catchUp: $("scale-catch-up"), wholeBar: $("scale-whole-bar"), catchUpBar: $("scale-catch-up-bar"),
  }, laptop.url, info.maxFeeds, report);
  $("scale-run").addEventListener("click", () => act(() => scale.measure()));
  const view = new ComparisonView({ root: $("compare"), button: $("compare-run"), status: $("compare-status") });
  const comparison = new Comparison(stage, info, view, () => play.idle());
  $("compare-run").addEventListener("click", () => (comparison.running ? comparison.stop() : act(() => comparison.run())));
  connectLogin(
    { dialog: $("login"), open: $("server"), form: $("login-form"), status: $("login-status"), more: $("login-more"), leave: $("login-leave") },
    stage, () => [phone, laptop],
    async (login) => {
      take();
      for (const pane of [phone, laptop]) await network.reset(pane);
      ownServer = login;
      showServer(info);
      say(login ? `Both devices log in as ${login.account}. What needs the demo’s own server is switched off meanwhile.` : "Back at the demo’s server.");
    },
  );
  showPlay();
  ready();
  await stage.until(() => phone.state?.phase === "live" && laptop.state?.phase === "live", 60_000, "Connecting the devices");
  const paused = still.matches || new URLSearchParams(location.search).has("paused");
  say(paused ? "Press “Next step”, or use the devices yourself." : "Both devices are connected.");
  if (!paused) play.start();
}

// The devices are not left away, and a page of the back/forward cache begins anew.
addEventListener("pagehide", () => {
  for (const pane of stage.panes.values()) if (network.position(pane) !== "online") navigator.sendBeacon(`/devices/${pane.id}/plug`);
});
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

const ready = () => document.documentElement.classList.add("ready");

start().catch(report).finally(ready);
