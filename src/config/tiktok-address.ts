/** Where TikTok's API is. */
export const TIKTOK_API_BASE_URL = 'https://open.tiktokapis.com';

/** What to tell people where tokens and videos go to another address than TikTok's; undefined where they do not. */
export function otherTikTok(apiBaseUrl: string): string | undefined {
  if (apiBaseUrl === TIKTOK_API_BASE_URL) return undefined;
  return `TIKTOK_API_BASE_URL is ${apiBaseUrl}: tokens and videos go there, and not to TikTok.`;
}
