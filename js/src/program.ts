import { messageOf, ownError, PamError } from "./errors.js";
import { listen, type Hints } from "./hints.js";
import { watchLife } from "./life.js";
import type { Config } from "./options.js";
import { start, type Handlers, type Link } from "./runtime.js";
import { clearTab, leaveTab, takeTab } from "./tab.js";
import type { CredentialRequest } from "./types.js";
import type { Happened } from "./wire.js";

/** A running program with the stored list loaded. Whatever the page registered for it is released when it ends. */
export interface Program extends Pick<Link, "where" | "request" | "tell"> {
  /** Asks for the connection, so that the next page in this tab finds the session. */
  connect(signal?: AbortSignal): Promise<unknown>;
  /** Asks to remove what is stored. Nothing is left for the next page in this tab. */
  forget(signal: AbortSignal): Promise<unknown>;
  /** Ends the program at once. What waits is rejected with `why`. */
  end(why: PamError): void;
}

/** What its start says of the program. */
export interface Created {
  /** The account, spelled as the program spells it: there is one database for all spellings. */
  readonly account: string;
  /** Why nothing can be stored, although that was asked for. */
  readonly why?: string;
}

/**
 * Starts the program, and has it load the stored list. It takes up the session of the page before, but never that of a
 * program which crashed: what made it crash would come again. `created` is called as soon as the program says whether it
 * can store anything.
 */
export async function startProgram(config: Config, handlers: Handlers, created: (c: Created) => void, over: AbortSignal): Promise<Program> {
  const asks = new Map<number, AbortController>(); // questions for credentials
  let hints: Hints | undefined; // of other tabs
  let unwatch = (): void => undefined;
  let tab: string | undefined; // what the next page in this tab is told
  let names: readonly string[] = [config.account];

  function release(): void {
    unwatch();
    hints?.stop();
    hints = undefined;
    for (const ask of asks.values()) ask.abort();
    asks.clear();
  }

  const link = await start(config, {
    ...handlers,
    happened(e) {
      if (e.event === "stored") hints?.tell();
      else if (e.event === "credentials") void answer(e);
      else handlers.happened(e);
    },
    crashed(error) {
      release();
      handlers.crashed(error);
    },
  }, over);

  /** Asks the page for credentials and hands them on to this program. It never rejects. */
  async function answer({ ask, over, reason, mechanisms }: Extract<Happened, { event: "credentials" }>): Promise<void> {
    if (over) {
      asks.get(ask)?.abort();
      asks.delete(ask);
      return;
    }
    const controller = new AbortController();
    asks.set(ask, controller);
    const request = { reason: (reason ?? "initial") as CredentialRequest["reason"], mechanisms: Object.freeze(mechanisms ?? []), signal: controller.signal };
    const found = await credentials(config, Object.freeze(request));
    if (controller.signal.aborted) return;
    asks.delete(ask);
    link.tell("credentials", { ask, ...found });
  }

  try {
    const taken = config.storage === "memory" ? undefined : takeTab(config.account);
    tab = taken?.tab;
    unwatch = watchLife({
      ...(config.wakeOnForeground && { wake: () => link.tell("wake") }),
      sleep: () => link.tell("sleep"),
      leave: () => {
        if (tab !== undefined) leaveTab(config.account, tab);
      },
      show: () => clearTab(config.account),
    });
    const { account, service: url, followTo, storage, mechanisms, reconnect } = config;
    const made = await link.request("create", { account, url, followTo, storage, mechanisms, inspector: config.frames > 0, ...reconnect, ...taken }) as Created;
    const mine = made.why === undefined ? taken?.tab : undefined; // without a store no session is kept
    tab = mine;
    names = [config.account, made.account];
    created(made);
    if (mine) hints = listen(made.account, () => link.tell("reload")); // before the first reading
    await link.request("load");
    return {
      where: link.where,
      request: link.request,
      tell: link.tell,
      connect(signal) {
        tab = mine;
        return link.request("connect", {}, signal);
      },
      forget(signal) {
        tab = undefined;
        for (const name of names) clearTab(name);
        return link.request("forget", {}, signal);
      },
      end(why) {
        release();
        link.stop(why);
      },
    };
  } catch (e) {
    release();
    const error = ownError(e);
    link.stop(error);
    throw error;
  }
}

/** The password, or why there is none. It does not reject, whatever the page's function returns or throws. */
async function credentials(config: Config, request: CredentialRequest): Promise<{ password: string } | { failed: string; wrong: boolean }> {
  try {
    return { password: (await config.credentials(request)).password };
  } catch (e) {
    const wrong = PamError.is(e, "bad-options");
    return { failed: wrong ? messageOf(e) : `options.credentials failed: ${messageOf(e)}`, wrong };
  }
}
