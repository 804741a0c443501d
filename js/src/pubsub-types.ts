import type { Jid, OpOptions, Subscription, Target } from "./types.js";

// Requests to services, and what they return.

/** An item of a node, as its service keeps it. */
export interface PubsubItem {
  readonly id: string;
  readonly publisher?: Jid;
  /** When it was published, according to its payload. Null if nothing says it: items themselves carry no time. */
  readonly occurredAt: Date | null;
  /** The payload, if it is an Atom entry. */
  readonly entry: AtomEntry | null;
  /** The namespace of the payload. */
  readonly namespace?: string;
  /** The payload as XML text. Null if the item has none, or if browsers cannot parse it. */
  readonly xml: string | null;
}

/** A decoded Atom entry (RFC 4287). All texts are plain text. */
export interface AtomEntry {
  readonly id?: string;
  readonly title?: string;
  readonly summary?: string;
  readonly content?: string;
  /** The URL of what the entry is about. */
  readonly link?: string;
  /** The URL of a picture. */
  readonly image?: string;
  readonly author?: string;
  readonly published?: Date;
  readonly updated?: Date;
}

/** A node, as far as its service describes it. */
export interface NodeInfo {
  readonly service: Jid;
  readonly node: string;
  readonly title?: string;
  readonly description?: string;
  readonly kind?: "leaf" | "collection" | (string & {});
  readonly payloadType?: string;
  /** Who may subscribe, such as "open" or "authorize". */
  readonly accessModel?: string;
  readonly created?: Date;
  readonly subscribers?: number;
}

export type FieldType =
  | "boolean" | "text-single" | "text-multi" | "text-private" | "list-single" | "list-multi" | "jid-single" | "jid-multi"
  | "hidden";
export type FieldValue = string | boolean | readonly string[];

/** A data form (XEP-0004): fields in the order in which to show them. */
export type Form = readonly FormField[];
export interface FormField {
  readonly name: string;
  readonly type: FieldType;
  /** To show instead of `name`, in a language that the service chose. */
  readonly label?: string;
  readonly description?: string;
  readonly required: boolean;
  readonly choices?: readonly { readonly value: string; readonly label?: string }[];
  /** A boolean for the type "boolean", an array for the types that end in "multi", otherwise a string. */
  readonly value: FieldValue;
}
/** A form to submit. Fields that are left out keep their values. */
export type FilledForm = readonly { readonly name: string; readonly value: FieldValue }[];

/**
 * Requests to a service, or to an account for its own nodes. They reject with code "offline" if the client is not
 * connected, "stanza" if the service refuses, and "timeout" if it does not answer within 20 seconds.
 */
export interface PubsubRequests {
  /** Publishes an item. The service chooses the id if there is none. `xml` is one element with a namespace. */
  publish(
    target: Target, item: { readonly id?: string; readonly xml: string }, options?: OpOptions,
  ): Promise<{ readonly id: string }>;
  /** Deletes an item, and notifies the subscribers. */
  retract(target: Target, id: string, options?: OpOptions): Promise<void>;
  /** Returns the items with the ids, or the newest `max`, or as many as the service returns, in the order of the service. */
  items(
    target: Target | Subscription, options?: OpOptions & { max?: number; ids?: readonly string[] },
  ): Promise<readonly PubsubItem[]>;
  /** Creates a node, and returns its name, which the service chooses if `target.node` is empty. */
  createNode(target: Target, options?: OpOptions & { form?: FilledForm }): Promise<string>;
  /** Deletes a node. `redirect` is the XMPP URI of the node that replaces it. */
  deleteNode(target: Target, options?: OpOptions & { redirect?: string }): Promise<void>;
  /**
   * Returns the nodes of a service. If the service supports paging, at most `max`, and `next` is the value of `after` for
   * the next page.
   */
  nodes(
    service: Jid, options?: OpOptions & { max?: number; after?: string },
  ): Promise<{ readonly nodes: readonly NodeInfo[]; readonly next?: string }>;
  nodeInfo(target: Target, options?: OpOptions): Promise<NodeInfo>;
  /** Returns the options of a subscription. One in state "unconfigured" delivers nothing until they are set. */
  getSubscriptionOptions(target: Target | Subscription, options?: OpOptions): Promise<Form>;
  /** Changes options of a subscription. Rejects with code "bad-options" if the service does not allow a value. */
  setSubscriptionOptions(target: Target | Subscription, form: FilledForm, options?: OpOptions): Promise<void>;
  /** Reads an XMPP URI that names a node, such as `xmpp:pubsub.example.org?;node=news`, for example to subscribe to it. */
  parseUri(uri: string, options?: OpOptions): Promise<Target>;
  /**
   * Sends an iq for which this library has no method, and returns the payload of the result as XML text, or "". `xml` is
   * one element with a namespace. Without `to`, the account answers. Only an answer from the recipient counts.
   */
  iq(
    request: { readonly to?: Jid; readonly type: "get" | "set"; readonly xml: string }, options?: OpOptions,
  ): Promise<string>;
  /** Sends a message. `xml` is its content; in it, elements without a namespace are those of XMPP, such as `<body/>`. */
  send(message: { readonly to: Jid; readonly type?: string; readonly xml: string }, options?: OpOptions): Promise<void>;
}
