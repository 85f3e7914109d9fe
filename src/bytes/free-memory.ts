/**
 * Frees memory at once. Garbage counts against an isolate until V8 collects it, and V8 is in no hurry.
 *
 * @packageDocumentation
 */

/**
 * Frees the whole buffer of a view, so that all views of it become empty. It does nothing if the buffer is detached
 * already, as after a failed read.
 */
export function freeMemory({ buffer }: ArrayBufferView<ArrayBuffer>): void {
  if (!buffer.detached) buffer.transfer(0);
}
