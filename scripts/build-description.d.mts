/** Makes the API's description where it is missing or older than the routes. */
export function buildDescription(): Promise<void>;
