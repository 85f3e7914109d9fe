/**
 * Memory that is given back at once. What V8 collects counts against an isolate until it does, and it is in no hurry.
 *
 * @packageDocumentation
 */

/**
 * Frees the whole buffer that a view lies in: all views of it are empty from now on. One that is gone already, as after a read that
 * failed, is passed over.
 */
export function freeMemory({ buffer }: ArrayBufferView<ArrayBuffer>): void {
  if (!buffer.detached) buffer.transfer(0);
}
