import { fromWire } from "./errors.js";
import { difference } from "./subscription-delta.js";
import type { View } from "./view.js";
import type { ViewEvent } from "./wire.js";

/** Updates the view with an event of the program. `loaded` reports whether the program has loaded the stored list. */
export function routeEvent(view: View, e: ViewEvent, loaded: boolean): void {
  const { rows, sync, frames, inbox } = view;
  switch (e.event) {
    case "changed": {
      const delta = rows.apply(e.changes, e.from ?? null, e.to ?? null, e.origin, e.source);
      if (delta && loaded) view.emit("subscriptions", delta);
      return;
    }
    case "list": {
      const before = rows.snapshot();
      rows.reset(e.changes, e.provisional, e.ver ?? null, e.source);
      if (before.source === "unread") return;
      const delta = difference(before, rows.snapshot());
      if (delta.added.length + delta.removed.length + delta.changed.length > 0) view.emit("subscriptions", delta);
      return;
    }
    case "more":
      return rows.more(e.changes);
    case "provisional":
      return rows.setProvisional(e.rows);
    case "state": {
      const state = sync.read(e.state);
      sync.set(state);
      const live = state.phase === "live" && !state.missing.includes("pam");
      rows.confirm(live ? "server" : rows.snapshot().source, state.lastSyncedAt?.toISOString() ?? null);
      return;
    }
    case "warning": {
      const warning = fromWire(e.error);
      frames.ignore(e.ignored ?? 0);
      view.log("warn", warning.message, warning);
      view.emit("warning", warning);
      return;
    }
    case "message": {
      const { from = "", xml = null, omitted } = e;
      view.emit("message", Object.freeze({ from, xml, ...(omitted && { omitted }) }));
      return;
    }
    case "event":
      return inbox.add(e.added);
    case "nodes":
      return inbox.more(e.nodes);
    case "events": {
      const change = inbox.apply(e);
      for (const added of change.added) view.emit("event", added);
      view.emit("events", change);
      return;
    }
    case "inbox":
      return inbox.reset(e);
    case "scope":
      return inbox.setScope(e.scope);
    case "away":
      return inbox.setAway(e.away);
    case "catchup":
      return view.emit("catchup", inbox.setCatchUp(e.state));
    case "frame": {
      const { event: _, ...frame } = e;
      return frames.add(frame);
    }
  }
}
