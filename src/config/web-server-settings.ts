import { settingsOf } from './setting-description.ts';
import * as value from './setting-values.ts';

const webServer = settingsOf('Web server');

/** Settings of the web server: where it listens, who may call it, and how much. */
export const WEB_SERVER_SETTINGS = {
  HOST: webServer.withDefault(value.text, '127.0.0.1', {
    meaning: 'Address to listen on. Any address other than loopback requires `API_KEYS`.',
  }),
  PORT: webServer.withDefault(value.wholeNumber(0, 65_535), '3000', {
    meaning: 'Port to listen on; 0 picks a free port.',
  }),
  PUBLIC_BASE_URL: webServer.optional(value.apiBaseUrl, {
    unset: '`http://HOST:PORT` if `HOST` is loopback; otherwise no account can be connected over OAuth',
    meaning:
      'Address at which browsers reach this server, such as `https://publisher.example.com`. Connect links start with it, and the links by which TikTok downloads media from this server; set it in the workers too. Register this address plus `/connect/tiktok/callback` as a redirect URI of your TikTok app.',
  }),
  TIKTOK_VERIFICATION_FILES: webServer.optional(value.textList, {
    unset: 'TikTok can verify the address by DNS only',
    meaning:
      'Comma-separated list of paths of the files (`tiktok….txt`) with which TikTok verifies the URL prefix `PUBLIC_BASE_URL` plus `/pull/`. The web server serves them there under their own names.',
  }),
  BASE_PATH: webServer.optional(value.basePath, {
    unset: 'the path of `PUBLIC_BASE_URL`, usually none',
    meaning:
      'Path below which a reverse proxy serves this server, such as `/tiktok`. Links start with it. Requests are accepted with and without it, so the proxy may remove it or not.',
  }),
  CONNECT_RETURN_ORIGINS: webServer.optional(value.originList, {
    unset: 'no connect link may have a `returnTo`',
    meaning:
      'Comma-separated list of origins, such as `https://app.example.com`, to which browsers may be redirected after an account was connected. Set it in every process that creates connect links, and in the web server.',
  }),
  CONNECT_PAGE_NAME: webServer.optional(value.pageName, {
    unset: 'the connect pages name nobody',
    meaning: 'Name of your product on the pages that owners of TikTok accounts see.',
  }),
  CONNECT_PAGE_LOGO: webServer.optional(value.imageUrl, {
    unset: 'the connect pages show no logo',
    meaning:
      'Logo on these pages, on white, up to 40 pixels high: an `https://` URL, or a `data:` URL of a PNG, JPEG, WebP, GIF or SVG image, for which browsers load nothing from elsewhere.',
  }),
  CONNECT_PAGE_COLOR: webServer.optional(value.hexColor, {
    unset: 'the connect pages have no coloured header',
    meaning:
      'Colour of the header of these pages, such as `#0f766e`. The text on it is black or white, whichever is easier to read.',
  }),
  API_KEYS: webServer.optional(value.textList, {
    secret: true,
    unset: '`/v1` needs no key, and the server listens on loopback only',
    meaning:
      'Comma-separated list of bearer keys for `/v1`. To change a key, list both keys until every client has the new one.',
  }),
  API_RATE_LIMIT_PER_MINUTE: webServer.withDefault(value.wholeNumber(1, 1_000_000), '600', {
    meaning:
      'Requests per minute to `/v1` for one key. Without a key, and to all other pages, for one IP address (IPv6: its network of 64 bits). Further requests get a 429 response. Each process counts separately.',
  }),
  TRUSTED_PROXIES: webServer.optional(value.addressList, {
    unset: 'limits count the address of the connection, so everybody behind a proxy counts as one caller',
    meaning:
      'Comma-separated list of addresses or CIDRs of your reverse proxies, such as `127.0.0.1,10.0.0.0/8`. Limits then count the client that such a proxy names in `X-Forwarded-For`. The proxies must set or extend this header.',
  }),
  MAX_CONNECTIONS: webServer.withDefault(value.wholeNumber(10, 1_000_000), '800', {
    meaning:
      'Open connections to the web server, or to the metrics server of a worker. Beyond it, the connection that has waited longest without a whole request is closed. Keep it well below the limit of file descriptors of the process (`ulimit -n`).',
  }),
  MAX_EVENT_STREAMS: webServer.withDefault(value.wholeNumber(1, 1_000_000), '500', {
    meaning: 'Open event streams per process. Must be lower than `MAX_CONNECTIONS`.',
  }),
  MAX_EVENT_STREAMS_PER_KEY: webServer.withDefault(value.wholeNumber(1, 1_000_000), '200', {
    meaning: 'Open event streams per process for one key (without keys: for all programs on this machine).',
  }),
  BOARD_USER: webServer.optional(value.text, {
    unset: 'the board is available on loopback only',
    meaning: 'User name for the board at `/board`. Requires `BOARD_PASSWORD`.',
  }),
  BOARD_PASSWORD: webServer.optional(value.text, {
    secret: true,
    unset: 'the board is available on loopback only',
    meaning: 'Password for the board.',
  }),
  BOARD_READONLY_USER: webServer.optional(value.text, {
    unset: 'there is no second login',
    meaning: 'User name for read-only access to the board. Requires `BOARD_USER`.',
  }),
  BOARD_READONLY_PASSWORD: webServer.optional(value.text, {
    secret: true,
    unset: 'there is no second login',
    meaning: 'Password for `BOARD_READONLY_USER`.',
  }),
} as const;
