/** Stands in for modules that are never asked for, and would only make the Worker larger. */
export const isAbsent = true;
