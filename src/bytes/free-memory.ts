/**
 * Memory that is given back at once. What V8 collects counts against an isolate until it does, and it is in no hurry.
 *
 * @packageDocumentation
 */

/** Frees the whole buffer that a view lies in: all views of it are empty from now on. */
export function freeMemory(view: ArrayBufferView<ArrayBuffer>): void {
  view.buffer.transfer(0);
}
