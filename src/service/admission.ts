/**
 * Opens the repository of an exchange and has the requester admitted, once, before anything is answered.
 *
 * @packageDocumentation
 */
import { ProtocolError } from "../bytes/failure.ts";
import type { ObjectFormatName } from "../object/object-id.ts";
import type { OpenRequest, OpenSnapshot, RepositoryRecord } from "../refs/ref-store.ts";
import type { Exchange } from "./exchange.ts";

/** The admission to one exchange. */
export class Admission {
  readonly #exchange: Exchange;
  #asked = false;
  #admitted = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /**
   * Admits the requester to the repository that was found, or to none.
   *
   * @throws the refusal of the exchange's `admit`.
   */
  async admit(record: RepositoryRecord | undefined): Promise<void> {
    this.#asked = true;
    await this.#exchange.admit(record);
    this.#admitted = true;
  }

  /** Has the requester looked up anew: what is asked for now may come long after what it was admitted to before. */
  renew(): void {
    this.#exchange.renew?.();
  }

  /** Whether the requester was admitted. */
  get isAdmitted(): boolean {
    return this.#admitted;
  }

  /**
   * Takes the snapshot that the whole exchange works on. Returns `undefined` if there is no repository and the
   * requester was admitted all the same.
   */
  async open(request: OpenRequest): Promise<OpenSnapshot | undefined> {
    this.renew();
    const found = await this.#exchange.repository.refs.open(request);
    const snapshot = found.kind === "found" ? found : undefined;
    await this.admit(snapshot?.record);
    return snapshot;
  }

  /**
   * Takes the snapshot as {@link open} does, for a request whose object names are of the format given.
   *
   * @throws ProtocolError if there is no repository, or if it has another format.
   */
  async openAs(format: ObjectFormatName, request: OpenRequest): Promise<OpenSnapshot> {
    const snapshot = await this.open(request);
    if (snapshot === undefined) throw new ProtocolError("repository not found");
    const { objectFormat } = snapshot.record;
    if (objectFormat !== format) {
      throw new ProtocolError(`mismatched object format: server ${objectFormat}; client ${format}`);
    }
    return snapshot;
  }

  /**
   * Asks for an admission if none was asked for yet. Nobody learns anything without one, not even that a request is
   * wrong. A client on a connection was admitted before its connection was opened.
   */
  async settle(): Promise<void> {
    if (!this.#asked && this.#exchange.stateful !== true) await this.open({});
  }
}
