// What a message says, in a few words, and the example of XEP-0376 that it can be compared with. It reads the tags without
// parsing XML; the words are only shown.

/** The nodes in which the library keeps what was read. */
const markers = "urn:xmpp-pam:seen:";

const maxRead = 20_000; // characters of one message
// No part of a tag may contain a "<": otherwise, text of many unfinished tags takes time that grows with its square.
const tag = /<([a-zA-Z][^\s/<>]*)((?:\s+[^\s=<>]+=(?:'[^'<]*'|"[^"<]*"))*)\s*\/?>/g;

/** Returns the opening tags of a message, or of its start if it is long: [{name, attribute(name)}]. */
export function tagsOf(xml) {
  return [...xml.slice(0, maxRead).matchAll(tag)].map(([, name, rest]) => {
    const pairs = rest.matchAll(/([^\s=]+)=(?:'([^']*)'|"([^"]*)")/g);
    const attributes = new Map([...pairs].map((m) => [m[1], plain(m[2] ?? m[3])]));
    return { name: name.replace(/^.*:/, ""), attribute: (key) => attributes.get(key) ?? "" };
  });
}

/**
 * Returns {text, example, pam, routine}. `example` is the number of an example in XEP-0376, or undefined. `pam` is set for a
 * request of XEP-0376. `routine` is set for messages other than PAM and publish-subscribe, and for those with which a device
 * learns, after it has connected, what was read before.
 * request: the description of the message that this one answers, if it answers one.
 */
export function describe({ kind, layer, xml }, request) {
  const [stanza, ...tags] = tagsOf(xml);
  const find = (name) => tags.find((t) => t.name === name);
  const type = stanza?.attribute("type");
  if (kind === "iq" && type === "error") return failure(stanza, tags, request);
  if (kind === "iq" && type === "result") return result(tags, find, request, xml.length > maxRead ? " or more" : "");
  if (layer === "pam" && find("notify")) {
    const row = find("subscription");
    return { text: `notify: ${row?.attribute("node") ?? ""} ${row?.attribute("subscription") ?? ""}`, example: 2 };
  }
  for (const [action, example] of layer === "pam" ? [["subscribe", 1], ["unsubscribe", undefined]] : []) {
    if (find(action)) return { text: `${action} ${find(action).attribute("node")}`, example, pam: true };
  }
  if (layer === "pam" && find("subscriptions")) {
    const ver = find("subscriptions").attribute("ver");
    return { text: ver ? `list since version ${ver}` : "whole list", example: 5, pam: true };
  }
  if (layer === "pubsub") return publishSubscribe(tags, find);
  return { text: [kind, layer, ...tags.slice(0, 1).map((t) => t.name)].filter(Boolean).join(" "), routine: true };
}

function result(tags, find, request, more) {
  const list = find("subscriptions");
  if (request?.pam && list) {
    const rows = tags.filter((t) => t.name === "subscription").length;
    return { text: `list of ${rows}${more}, version ${list.attribute("ver")}`, example: 6 };
  }
  const items = tags.filter((t) => t.name === "item").length;
  if (find("items")) return { text: items === 1 && !more ? "1 entry" : `${items}${more} entries`, routine: request?.routine };
  return { text: tags.length === 0 ? "result, empty" : "result", routine: request ? request.routine : true };
}

/** An error of the account's server is example 3; one that another service generated is example 4. */
function failure(stanza, tags, request) {
  const error = tags.findIndex((t) => t.name === "error");
  const by = error < 0 ? "" : tags[error].attribute("by");
  const condition = error < 0 ? "" : tags[error + 1]?.name ?? "";
  const remote = by && by !== stanza.attribute("from") && by !== stanza.attribute("to").replace(/\/.*/, "");
  return {
    text: `error ${condition}${by ? ` by ${by}` : ""}`,
    example: request?.pam ? (remote ? 4 : 3) : undefined,
    routine: request ? request.routine : true,
  };
}

function publishSubscribe(tags, find) {
  const node = tags.map((t) => t.attribute("node")).find(Boolean) ?? "";
  const marker = node.startsWith(markers);
  if (find("event")) {
    if (marker) return { text: `marked as read: ${find("seen")?.attribute("item") ?? ""}` };
    const what = ["retract", "purge", "delete", "configuration"].find(find) ?? "entry";
    const id = find(what === "entry" ? "item" : what)?.attribute("id");
    return { text: `${what} of ${node}${id ? `: ${id}` : ""}` };
  }
  if (find("publish")) {
    return { text: marker ? `mark as read: ${find("seen")?.attribute("item") ?? ""}` : `publish ${node}` };
  }
  if (find("items") && !marker) return { text: `newest of ${node}` };
  const action = tags.find((t) => t.name !== "pubsub")?.name ?? "";
  return { text: `${action} ${marker ? "of what was read" : node}`.trim(), routine: marker };
}

const characters = { lt: "<", gt: ">", amp: "&", apos: "'", quot: '"' };
const plain = (text) => text.replace(/&(lt|gt|amp|apos|quot);/g, (_, name) => characters[name]);
