/** Describes what the caller asked for and cannot get; the message says what to do. */
export class ScaffoldError extends Error {}
