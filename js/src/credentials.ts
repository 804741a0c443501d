import type { CredentialRequest } from "./client-options.js";
import { messageOf, PamError } from "./errors.js";
import type { Config } from "./options.js";
import type { CredentialEvent, Notices } from "./wire.js";

/** Passes the program's requests for credentials to the page's function, and returns the answers to the program. */
export interface CredentialRequests {
  handle(event: CredentialEvent): void;
  /** Aborts all requests: the program has ended. */
  dispose(): void;
}

export function credentialRequests(
  config: Config, send: (answer: Notices["credentials"]) => void,
): CredentialRequests {
  const pendingCredentialRequests = new Map<number, AbortController>();

  /** Answers one request. The promise never rejects. */
  async function answer(ask: number, reason: CredentialRequest["reason"], mechanisms: string[]): Promise<void> {
    const controller = new AbortController();
    pendingCredentialRequests.set(ask, controller);
    const request = { reason, mechanisms: Object.freeze(mechanisms), signal: controller.signal };
    const found = await credentials(config, Object.freeze(request));
    if (controller.signal.aborted) return;
    pendingCredentialRequests.delete(ask);
    send({ ask, ...found });
  }

  return {
    handle(event) {
      if (!("canceled" in event)) return void answer(event.ask, event.reason, event.mechanisms);
      pendingCredentialRequests.get(event.ask)?.abort();
      pendingCredentialRequests.delete(event.ask);
    },
    dispose() {
      for (const pending of pendingCredentialRequests.values()) pending.abort();
      pendingCredentialRequests.clear();
    },
  };
}

/** Resolves with the password, or with the reason for its absence. It never rejects, even if the page's function throws. */
async function credentials(
  config: Config, request: CredentialRequest,
): Promise<{ password: string } | { failed: string; wrong: boolean }> {
  try {
    return { password: (await config.credentials(request)).password };
  } catch (e) {
    const wrong = PamError.is(e, "bad-options");
    return { failed: wrong ? messageOf(e) : `options.credentials failed: ${messageOf(e)}`, wrong };
  }
}
