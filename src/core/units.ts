/** Milliseconds per unit of time. Inside this program every duration is in ms. */
export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Bytes per unit of size, decimal. Inside this program every size is in bytes. */
export const MEGABYTE_BYTES = 1_000_000;
export const GIGABYTE_BYTES = 1_000 * MEGABYTE_BYTES;
/** Bytes in a binary mebibyte, the unit of our read buffers. */
export const MEBIBYTE_BYTES = 1_048_576;
