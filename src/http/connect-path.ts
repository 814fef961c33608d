/** Where connecting an account begins. */
export const CONNECT_PATH = '/connect/tiktok';
