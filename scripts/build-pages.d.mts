/** Copies the files that pages need to where hosts serve files as they are. */
export function buildPages(): Promise<void>;
