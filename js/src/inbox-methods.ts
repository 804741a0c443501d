import { ownError, PamError } from "./errors.js";
import type { CatchUpState, Inbox } from "./inbox-types.js";
import { emptyInbox, newestEvents, noEvents, type InboxView } from "./inbox.js";
import { fields, positive, reading, text, texts } from "./options.js";
import type { ProgramLifecycle } from "./program-lifecycle.js";
import { request } from "./program.js";
import type { ExternalStore, OpOptions } from "./types.js";
import type { RawQuery } from "./wire.js";

/** Runs a call within the limits of its options. `more` names the additional options of the call. */
type Call = <T>(o: OpOptions | undefined, run: (signal: AbortSignal) => Promise<T>, ...more: string[]) => Promise<T>;

/** Makes `client.inbox`. The client reads the inbox when the page first uses it. */
export function inboxMethods(view: InboxView, lifecycle: ProgramLifecycle, call: Call): Inbox {
  const { running, useInbox } = lifecycle;

  function makeStore<T>(from: { snapshot(): T; subscribe: ExternalStore<T>["subscribe"] }, none: T): ExternalStore<T> {
    return {
      getSnapshot: () => {
        useInbox();
        return from.snapshot();
      },
      getServerSnapshot: () => none,
      subscribe: (fn) => {
        useInbox();
        return from.subscribe(fn);
      },
    };
  }

  const newest = Object.freeze(makeStore(view.newest, noEvents));
  const queryFields = ["target", "unseenOnly", "before", "limit"];
  return Object.freeze<Inbox>({
    ...makeStore(view.state, emptyInbox),
    newest,
    get ready() {
      return lifecycle.storedInbox();
    },
    get(target) {
      useInbox();
      const { service, node } = fields(target, "target");
      return view.get(text(service, "target.service"), text(node, "target.node"));
    },
    list: (o) => call(o, async (signal) => {
      const query = reading("query", () => readQuery(fields(o ?? {}, "query", [...queryFields, "signal", "timeoutMs"])));
      const program = running();
      if (query.service === "" && !query.unseenOnly && query.before === "") {
        await Promise.race([lifecycle.storedInbox(), program]);
        const page = view.storedPage(query.limit);
        if (page) return page;
      }
      return view.readPage(await request(program, "events", query, signal));
    }, ...queryFields),
    markSeen: (events, o) => call(o, async (signal) => {
      await request(running(), "markSeen", reading("events", () => (
        Array.isArray(events) ? { ids: texts(events, "events"), upTo: "" } : { ids: [], upTo: readUpTo(events) }
      )), signal);
    }),
    catchUp: (o) => call(o, async (signal) => {
      const program = running();
      await request(program, "catchUp", {}, signal);
      try {
        return await ended(view.state, signal);
      } catch (e) {
        program.then((p) => p.request("cancelCatchUp", {})).catch(() => undefined);
        throw e;
      }
    }),
    looked: (o) => call(o, async (signal) => {
      await request(running(), "looked", {}, signal);
    }),
  });
}

/** Resolves when no catch-up is running. Rejects when the signal is aborted. */
function ended(state: InboxView["state"], signal: AbortSignal): Promise<CatchUpState> {
  let stop = (): void => undefined;
  return new Promise<CatchUpState>((resolve, reject) => {
    const abort = (): void => reject(ownError(signal.reason));
    signal.addEventListener("abort", abort);
    const off = state.subscribe(({ catchUp }) => {
      if (catchUp.phase !== "running") resolve(catchUp);
    });
    stop = () => {
      off();
      signal.removeEventListener("abort", abort);
    };
  }).finally(() => stop());
}

function readUpTo(events: unknown): string {
  const { upTo } = fields(events, "events", ["upTo"]);
  if (text(upTo, "events.upTo") === "") throw new PamError("bad-options", "events.upTo must be the id of an event.");
  return upTo as string;
}

function readQuery({ target, unseenOnly, before, limit }: Record<string, unknown>): RawQuery {
  const { service, node } = target === undefined ? { service: "", node: "" } : fields(target, "query.target");
  if (target !== undefined && service === "") throw new PamError("bad-options", "query.target.service must be a JID.");
  if (unseenOnly !== undefined && typeof unseenOnly !== "boolean") {
    throw new PamError("bad-options", "query.unseenOnly must be true or false.");
  }
  return {
    service: text(service, "query.target.service"), node: text(node ?? "", "query.target.node"),
    unseenOnly: unseenOnly ?? false, before: text(before ?? "", "query.before"),
    limit: Math.min(positive(limit, "query.limit") ?? newestEvents, 500),
  };
}
