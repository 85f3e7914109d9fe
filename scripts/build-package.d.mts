/** Makes the package where it is missing or older than the command; gives its name. */
export function buildPackage(): Promise<string>;
