/** Whether all percent codes of a text can be decoded: `50%25off`, not `50%off`. */
export function isPercentEncoded(text: string): boolean {
  try {
    // The bundler drops a call whose result nobody reads.
    return decodeURIComponent(text).length <= text.length;
  } catch {
    return false;
  }
}
