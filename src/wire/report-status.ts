/**
 * The report of a push: whether the pack was unpacked, and the outcome of each command.
 *
 * ```text
 * report  := "unpack" SP ( "ok" | why ) "\n" *command flush
 * command := "ok" SP name "\n" *option | "ng" SP name SP why "\n"
 * option  := "option" SP ( "refname" SP name | "old-oid" SP oid | "new-oid" SP oid | "forced-update" ) "\n"   version 2
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5)
 */
import { ProtocolError } from "../bytes/failure.ts";
import { bytesOfEscaped, escapedText } from "../object/escaped-bytes.ts";
import { oneLine } from "./failure-line.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { type PktLine, chompLine, decodeText } from "./pkt-line.ts";

/** The update that was really made, where it differs from the command (`report-status-v2` only). */
export type ReportOptions = {
  readonly refname?: string;
  /** The old object name in hexadecimal. */
  readonly oldOid?: string;
  /** The new object name in hexadecimal. */
  readonly newOid?: string;
  readonly forcedUpdate?: true;
};

/** The outcome of one command. */
export type RefReport =
  | {
      readonly kind: "ok";
      readonly name: string;
      /** The updates that were really made, each with an `ok` line. Absent: the update is as in the command. */
      readonly updates?: readonly ReportOptions[];
    }
  | { readonly kind: "ng"; readonly name: string; readonly why: string };

/** The report of a push. */
export type ReportStatus = {
  /** `ok`, or the reason why the pack was refused. */
  readonly unpack: string;
  readonly refs: Iterable<RefReport>;
};

/**
 * Appends a report with its flush-pkt, and yields after each ref: the caller may send in between. Version 1 is for
 * `report-status`, version 2 for `report-status-v2`.
 */
export function* formatReportStatus(report: ReportStatus, version: 1 | 2, out: PktBuffer): Generator<void> {
  out.line(`unpack ${oneLine(report.unpack)}\n`);
  for (const ref of report.refs) {
    if (ref.kind === "ng")
      out
        .begin()
        .text("ng ")
        .escaped(ref.name)
        .text(` ${oneLine(ref.why)}\n`)
        .end();
    else formatOk(ref.name, version === 1 ? [] : (ref.updates ?? []), out);
    yield;
  }
  out.flush();
}

function formatOk(name: string, updates: readonly ReportOptions[], out: PktBuffer): void {
  const ok = (): void => out.begin().text("ok ").escaped(name).text("\n").end();
  ok();
  updates.forEach((update, index) => {
    if (index > 0) ok();
    if (update.refname !== undefined) out.begin().text("option refname ").escaped(update.refname).text("\n").end();
    if (update.oldOid !== undefined) out.line(`option old-oid ${update.oldOid}\n`);
    if (update.newOid !== undefined) out.line(`option new-oid ${update.newOid}\n`);
    if (update.forcedUpdate === true) out.line("option forced-update\n");
  });
}

/** Reads a report of either version as a client does. */
export class ReportStatusParser {
  readonly #refs: ({ kind: "ok"; name: string; updates: ReportOptions[] } | (RefReport & { kind: "ng" }))[] = [];
  #unpack: string | undefined;
  /** Whether the next option begins a new update, as the first one behind each `ok` does. */
  #newUpdate = false;

  /**
   * Takes the next line.
   *
   * @throws ProtocolError in git's words on a line that is not part of a report.
   */
  accept(line: PktLine): "more" | "done" {
    if (line.kind !== "data") {
      if (this.#unpack !== undefined) return "done";
      throw new ProtocolError("unexpected flush packet while reading remote unpack status");
    }
    const text = escapedText(chompLine(line.payload));
    if (this.#unpack === undefined) this.#acceptUnpack(text);
    else this.#acceptStatus(text);
    return "more";
  }

  /** The report, complete once {@link accept} has returned `done`. */
  get result(): { readonly unpack: string; readonly refs: readonly RefReport[] } {
    return {
      // Before its first line, a report does not say whether the pack was unpacked.
      unpack: this.#unpack ?? "",
      refs: this.#refs.map((ref) =>
        ref.kind === "ok" && ref.updates.length === 0 ? { kind: "ok", name: ref.name } : ref,
      ),
    };
  }

  #acceptUnpack(text: string): void {
    if (!text.startsWith("unpack ")) throw new ProtocolError(`unable to parse remote unpack status: ${text}`);
    this.#unpack = text.slice("unpack ".length);
  }

  #acceptStatus(text: string): void {
    const [head = "", key = ""] = text.split(" ", 2);
    const value = text.slice(head.length + key.length + 2);
    if (key === "") throw new ProtocolError(`invalid status line from remote: ${text}`);
    if (head === "ok") this.#acceptOk(key);
    else if (head === "ng") this.#acceptFailure(key, decodeText(bytesOfEscaped(value)));
    else if (head === "option") this.#acceptOption(key, value);
    else throw new ProtocolError(`invalid ref status from remote: ${head}`);
  }

  #acceptOk(name: string): void {
    const last = this.#refs.at(-1);
    // A second `ok` of a ref begins its next update, if the first one had options. Otherwise two commands name the same
    // ref.
    if (last?.kind !== "ok" || last.name !== name || last.updates.length === 0) {
      this.#refs.push({ kind: "ok", name, updates: [] });
    }
    this.#newUpdate = true;
  }

  #acceptFailure(name: string, why: string): void {
    this.#refs.push({ kind: "ng", name, why: why === "" ? "failed" : why });
    this.#newUpdate = false;
  }

  #acceptOption(key: string, value: string): void {
    const last = this.#refs.at(-1);
    if (last?.kind !== "ok") throw new ProtocolError("'option' without a matching 'ok/ng' directive");
    const current = this.#newUpdate ? {} : (last.updates.pop() ?? {});
    last.updates.push({ ...current, ...parseOption(key, value) });
    this.#newUpdate = false;
  }
}

/** Parses one option. Unknown options are ignored, as in git. */
function parseOption(key: string, value: string): ReportOptions {
  switch (key) {
    case "refname":
      return { refname: value };
    case "old-oid":
      return { oldOid: value };
    case "new-oid":
      return { newOid: value };
    case "forced-update":
      return { forcedUpdate: true };
    default:
      return {};
  }
}
