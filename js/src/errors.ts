import type { Jid, PamErrorCode, PamErrorOrigin } from "./types.js";

/** The optional fields of a PamError. */
export interface PamErrorFields {
  origin?: PamErrorOrigin;
  by?: Jid;
  condition?: string;
  pubsubCondition?: string;
  retryable?: boolean;
  retryAfterMs?: number;
  cause?: unknown;
}

/** Every error of this library. The message says what happened and what to do. */
export class PamError extends Error {
  override readonly name: "PamError" = "PamError" as const;
  readonly code: PamErrorCode;
  /** Where the error comes from. XEP-0376 §3.2: the account server sent an error stanza without `by`. */
  readonly origin: PamErrorOrigin;
  declare readonly by?: Jid;
  /** RFC 6120 condition, such as "not-authorized". */
  declare readonly condition?: string;
  /** Application condition of XEP-0060, such as "presence-subscription-required". */
  declare readonly pubsubCondition?: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  declare readonly retryAfterMs?: number;
  /** The section in the package's error reference, such as "xmpp-pam/docs/errors.md#auth". */
  readonly docs: string;

  constructor(code: PamErrorCode, message: string, fields: PamErrorFields = {}) {
    super(message, "cause" in fields ? { cause: fields.cause } : undefined);
    this.code = code;
    this.origin = fields.origin ?? "client";
    if (fields.by !== undefined) this.by = fields.by;
    if (fields.condition !== undefined) this.condition = fields.condition;
    if (fields.pubsubCondition !== undefined) this.pubsubCondition = fields.pubsubCondition;
    this.retryable = fields.retryable ?? false;
    if (fields.retryAfterMs !== undefined) this.retryAfterMs = fields.retryAfterMs;
    this.docs = `xmpp-pam/docs/errors.md#${code}`;
  }

  /** Returns what JSON.stringify writes: all fields but the cause. */
  toJSON(): Record<string, unknown> {
    const { name, code, origin, message, by, condition, pubsubCondition, retryable, retryAfterMs, docs } = this;
    return { name, code, origin, message, by, condition, pubsubCondition, retryable, retryAfterMs, docs };
  }

  /**
   * Reports whether `e` is a PamError, with that code if one is given. Works across copies of this library. It never throws:
   * for a value that cannot be read, such as a revoked Proxy, it returns false.
   */
  static is(e: unknown, code?: PamErrorCode): e is PamError {
    try {
      return e instanceof Error && e.name === "PamError" && "code" in e && (code === undefined || e.code === code);
    } catch {
      return false;
    }
  }
}

/** An error as the program writes it. */
export interface WireError {
  code: PamErrorCode;
  origin?: PamErrorOrigin;
  text?: string;
  by?: string;
  condition?: string;
  pubsubCondition?: string;
  retryable?: boolean;
  cause?: string;
}

export function fromWire(e: WireError): PamError {
  const { code, text, cause, ...fields } = e;
  return new PamError(code, text ?? code, cause === undefined ? fields : { ...fields, cause: new Error(cause) });
}

/** The form in which a host posts an error. */
export const toWire = ({ code, origin, message, by, condition, pubsubCondition, retryable }: PamError): WireError => ({
  code, origin, text: message, retryable,
  ...(by !== undefined && { by }), ...(condition !== undefined && { condition }),
  ...(pubsubCondition !== undefined && { pubsubCondition }),
});

export const closedError = (): PamError =>
  new PamError("closed", "The client was closed. Make a new one with createClient().");

/** The error of a call whose signal was aborted. */
export const abortedError = (signal: AbortSignal): PamError =>
  new PamError("aborted", "The call was aborted by its signal.", { cause: signal.reason });

export const timeoutError = (limit: number): PamError =>
  new PamError("timeout", `The call did not finish within ${limit} ms.`, { retryable: true });

/** Converts any thrown value to a text of at most 1000 characters. */
export function messageOf(e: unknown): string {
  try {
    return String(e instanceof Error ? e.message : e).slice(0, 1000);
  } catch {
    return "a value that cannot be converted to text";
  }
}

/** Converts any thrown value to a PamError. */
export const ownError = (e: unknown): PamError =>
  PamError.is(e) ? e : new PamError("crashed", messageOf(e), { origin: "runtime", cause: e });
