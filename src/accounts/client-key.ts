const SHOWN_CHARS = 4;

/** Enough of a client key to tell apps apart by: it is no secret, but nobody needs the whole of it. */
export function clientKeyHint(clientKey: string): string {
  return `${clientKey.slice(0, SHOWN_CHARS)}…`;
}

/** Whether tokens were stored for another app than ours; false where either is not known. */
export function isOtherApp(clientKey: string | undefined, ourClientKey: string | undefined): clientKey is string {
  return clientKey !== undefined && ourClientKey !== undefined && clientKey !== ourClientKey;
}

/** What is wrong with the account of another app, and what to do, as one sentence. @param hint of that app's client key */
export function otherAppText(account: string, hint: string | null): string {
  return `account "${account}" was connected by another app (client key ${hint}): connect it again or restore the previous TIKTOK_CLIENT_KEY`;
}
