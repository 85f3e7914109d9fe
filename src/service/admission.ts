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

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** Admits the requester to what was found, or to nothing. @throws what the exchange refuses with. */
  async admit(record: RepositoryRecord | undefined): Promise<void> {
    this.#asked = true;
    await this.#exchange.admit(record);
  }

  /** Takes the snapshot that the whole exchange works on; `undefined` where there is none and that is no reason to refuse. */
  async open(request: OpenRequest): Promise<OpenSnapshot | undefined> {
    const found = await this.#exchange.repository.refs.open(request);
    const snapshot = found.kind === "found" ? found : undefined;
    await this.admit(snapshot?.record);
    return snapshot;
  }

  /**
   * Like {@link open} for a request whose object names are of the format given.
   *
   * @throws ProtocolError where there is no repository, or one of another format.
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

  /** Makes up for an admission that was not asked for: nobody learns anything, not even that a request is wrong, without one. */
  async settle(): Promise<void> {
    if (!this.#asked) await this.open({});
  }
}
