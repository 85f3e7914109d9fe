/**
 * What a test and the Worker under test say to each other about pack storage.
 *
 * @packageDocumentation
 */
import type { PackFile } from "../../src/catalog/pack-storage.ts";

/** A method of a port, or of a handle that one gave; a handle is known by the `id` of the call that made it. */
export type PortCall = {
  readonly id: number;
  readonly call:
    | "read"
    | "write"
    | "delete"
    | "deletePack"
    | "openStream"
    | "streamRead"
    | "streamCancel"
    | "createUpload"
    | "writePart"
    | "complete"
    | "abort";
  readonly handle?: number;
  readonly file?: PackFile;
  readonly files?: readonly PackFile[];
  readonly offset?: number;
  readonly length?: number;
  /** Base64. */
  readonly bytes?: string;
};

/** What a method gave. */
export type PortReply = {
  readonly bytes?: string;
  /** Bytes of the buffer behind `bytes`. */
  readonly capacity?: number;
  readonly partSize?: number;
  readonly error?: { readonly name: string; readonly message: string };
};
