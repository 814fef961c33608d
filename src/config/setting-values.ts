import { isIP } from 'node:net';
import { z } from 'zod';
import { isLoopbackHost } from '../core/loopback-host.ts';
import { isPercentEncoded } from '../core/percent-encoding.ts';
import type { HostAndPort } from './redis-config.ts';

/** A whole number within bounds, both included. */
export function wholeNumber(min: number, max: number) {
  return z
    .string()
    .regex(/^\d+$/, `a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `a whole number from ${min} to ${max}`);
}

/** One of some words. */
export function oneOf<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words, `one of ${words.join(', ')}`);
}

/** Any text; empty ones never get here. */
export const text = z.string();

/** A comma-separated list of texts, at least one. */
export const textList = z
  .string()
  .transform(splitList)
  .refine((list) => list.length > 0, 'a comma-separated list with at least one entry');

/** `redis://` or `rediss://` with a host. */
export const redisUrl = z
  .string()
  .refine(
    isRedisUrl,
    'a URL such as redis://127.0.0.1:6379 or rediss://user:password@host:6380/0, where user and password are percent-encoded (% is written %25, # is %23, / is %2F, ? is %3F, @ is %40)',
  )
  .superRefine((value, context) => {
    if (!URL.canParse(value)) return;
    const given = [...new URL(value).searchParams.keys()].filter((option) => OPTIONS_OF_OURS.has(option.toLowerCase()));
    if (given.length === 0) return;
    context.addIssue(`a URL without ${given.join(' and ')} (remove that: each connection sets its own value)`);
  });

/** Options of ioredis that would go before what our connections choose, with texts where it wants functions. */
const OPTIONS_OF_OURS: ReadonlySet<string> = new Set(
  [
    ...['maxRetriesPerRequest', 'enableOfflineQueue', 'autoResendUnfulfilledCommands', 'enableReadyCheck'],
    ...['commandTimeout', 'socketTimeout', 'blockingTimeout', 'lazyConnect', 'maxLoadingRetryTime'],
    ...['retryStrategy', 'reconnectOnError', 'keyPrefix', 'replyMapping', 'protocol', 'stringNumbers'],
    ...['sentinels', 'role', 'Connector', 'scripts', 'readOnly', 'monitor', 'tls'],
  ].map((option) => option.toLowerCase()),
);

/** A comma-separated list of `host:port`; IPv6 addresses in brackets. */
export const hostAndPortList = z.string().transform((value, context): HostAndPort[] => {
  return splitList(value).flatMap((entry) => {
    const [, host, port] = /^(\[[0-9a-f:]+\]|[\w.-]+):(\d{1,5})$/i.exec(entry) ?? [];
    if (host !== undefined && isPort(port)) return [{ host: host.replace(/[[\]]/g, ''), port: Number(port) }];
    context.addIssue('a comma-separated list such as redis-1:6379,redis-2:6379');
    return [];
  });
});

/** A base address: https, or http on this machine only, because tokens travel there. */
export const apiBaseUrl = z
  .string()
  .refine(
    isApiBaseUrl,
    'an https:// URL without user, query and fragment; http:// only for localhost, 127.x.x.x or [::1]',
  )
  .transform((value) => value.replace(/(?<!\/)\/+$/, ''));

/** Where a server of the deployment is, http too: requests to it are signed, and carry no password. */
export const serverUrl = z
  .string()
  .refine(isServerUrl, 'an http:// or https:// URL without user, query and fragment')
  .transform((value) => value.replace(/(?<!\/)\/+$/, ''));

/** A comma-separated list of origins: https, or http on this machine only. */
export const originList = z.string().transform((value, context): string[] => {
  const entries = splitList(value);
  if (entries.length === 0 || !entries.every((entry) => isApiBaseUrl(entry) && new URL(entry).pathname === '/')) {
    context.addIssue(
      'a comma-separated list of https:// origins without a path, such as https://app.example.com; http:// only for localhost, 127.x.x.x or [::1]',
    );
    return [];
  }
  return entries.map((entry) => new URL(entry).origin);
});

/** A name that fits into the header of a page. */
export const pageName = z.string().max(60, 'at most 60 characters');

/** A picture on a page. In the header that allows pages to load it, `,` and `;` end the address. */
export const imageUrl = z
  .string()
  .max(50_000, 'at most 50,000 characters')
  .refine(
    isImageUrl,
    'an https:// URL without user, "," and ";" (http:// only for localhost, 127.x.x.x or [::1]), or data:image/png;base64,… (also jpeg, webp, gif, svg+xml)',
  );

/** A colour in hexadecimal digits. */
export const hexColor = z.string().regex(/^#[0-9a-f]{6}$/i, 'a colour such as #0f766e');

/** A proxy, with or without the scheme, as curl takes it. */
export const proxyUrl = z
  .string()
  .transform((value) => (/^[a-z0-9+.-]+:\/\//i.test(value) ? value : `http://${value}`))
  .refine(isProxyUrl, 'the URL of an http or https proxy, such as http://proxy.example.com:3128');

/** Where a proxy serves us: with a slash before it and none behind it. None of our own addresses can be it. */
export const basePath = z
  .string()
  .regex(
    /^\/?(?!(v1|board|docs|publishes|connect|webhooks|metrics|healthz|readyz|openapi\.json)(\/|$))[\w~-][\w.~-]*(\/[\w~-][\w.~-]*)*\/?$/,
    'a path such as /tiktok that is none of the paths of this server',
  )
  .transform((path) => `/${path.replace(/^\/|\/$/g, '')}`);

/** BullMQ key prefix whose hash tag keeps all keys in one slot of a cluster. */
export const queuePrefix = z
  .string()
  .regex(
    /^[^\s:{}]*\{[^\s:{}]+\}[^\s:{}]*$/,
    'a text with one hash tag, such as {my-app}, without ":" and white space',
  );

/** A comma-separated list of base64 keys of 32 bytes each. */
export const encryptionKeys = z.string().transform((value, context): Buffer[] => {
  const entries = splitList(value);
  if (entries.length === 0) context.addIssue('at least one base64 key of 32 bytes');
  return entries.map((entry, index) => {
    const key = Buffer.from(entry, 'base64');
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(entry) || key.length !== 32) {
      context.addIssue(`base64 keys of 32 bytes each; key ${index + 1} of ${entries.length} is not one`);
    }
    return key;
  });
});

/** A comma-separated list of secrets of Standard Webhooks, whose specification wants 24 to 64 bytes. */
export const webhookSecretList = textList.refine(
  (secrets) => secrets.every(isWebhookSecret),
  'a comma-separated list of secrets such as whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, base64 of 24 to 64 bytes each',
);

/** SHA-256 of a key, as RFC 7638 has it. */
export const thumbprintList = textList.refine(
  (pins) => pins.every((pin) => /^[\w-]{43}$/.test(pin)),
  'a comma-separated list of thumbprints of 43 letters, digits, - and _, as `tiktok-publisher doctor` prints them',
);

/** A comma-separated list of `host`, `host:port` or CIDR. */
export const allowedHostList = z.string().transform((value, context): string[] => {
  const entries = splitList(value).map((entry) => entry.toLowerCase());
  if (entries.length === 0 || !entries.every(isAllowedHost)) {
    context.addIssue('a comma-separated list of host, host:port or CIDR, such as minio:9000,10.0.0.0/8');
  }
  return entries;
});

/** A comma-separated list of addresses or CIDRs. */
export const addressList = textList.refine(
  (entries) => entries.every(isAddressOrNetwork),
  'a comma-separated list of addresses or CIDRs, such as 127.0.0.1,10.0.0.0/8',
);

/** `true` or `false`. */
export const trueOrFalse = z.enum(['true', 'false'], 'true or false').transform((word) => word === 'true');

/** An address over http or https. */
export const webAddress = z.url({ protocol: /^https?$/, error: 'a URL such as http://127.0.0.1:4318' });

/** `true` in any case; anything else is not, as the OpenTelemetry specification wants it. */
export const looseTrue = z.string().transform((value) => value.toLowerCase() === 'true');

/** `name=value,name=value`, values percent-encoded (OTLP Exporter Configuration, read 2026-11-22). */
export const headerList = z.string().transform((value, context): Readonly<Record<string, string>> => {
  const pairs = splitList(value).map((entry) => /^([\w!#$%&'*+.^`|~-]+)\s*=(.*)$/.exec(entry) ?? []);
  if (pairs.some(([, name]) => name === undefined)) context.addIssue('a comma-separated list of name=value');
  return Object.fromEntries(pairs.map(([, name = '', text = '']) => [name, decoded(text.trim())]));
});

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function splitList(value: string): string[] {
  return value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function isPort(digits: string | undefined): boolean {
  return digits !== undefined && Number(digits) >= 1 && Number(digits) <= 65_535;
}

function isRedisUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, pathname, search, hash, username, password } = new URL(value);
  // With a raw "#", "/" or "?" in the password, the host stands behind what looks like the end of the address.
  if (hash !== '' || search.includes('@')) return false;
  if (!isPercentEncoded(username) || !isPercentEncoded(password)) return false;
  // The path is the number of a database.
  return ['redis:', 'rediss:'].includes(protocol) && hostname !== '' && /^\/?\d*$/.test(pathname);
}

function isProxyUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, username, password } = new URL(value);
  return /^https?:$/.test(protocol) && hostname !== '' && isPercentEncoded(username) && isPercentEncoded(password);
}

function isServerUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password, search, hash } = new URL(value);
  return ['http:', 'https:'].includes(protocol) && username + password + search + hash === '';
}

function isApiBaseUrl(value: string): boolean {
  if (!isServerUrl(value)) return false;
  const { protocol, hostname } = new URL(value);
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname));
}

function isImageUrl(value: string): boolean {
  if (/^data:image\/(png|jpeg|webp|gif|svg\+xml);base64,[A-Za-z0-9+/]+={0,2}$/.test(value)) return true;
  if (!URL.canParse(value) || /[,;]/.test(value)) return false;
  const { protocol, hostname, username, password } = new URL(value);
  const isPlain = protocol === 'http:' && isLoopbackHost(hostname);
  return (protocol === 'https:' || isPlain) && username + password === '';
}

function isWebhookSecret(secret: string): boolean {
  const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  if (base64 === undefined || base64.length % 4 !== 0) return false;
  const { length } = Buffer.from(base64, 'base64');
  return length >= 24 && length <= 64;
}

function isAllowedHost(entry: string): boolean {
  if (isAddressOrNetwork(entry)) return true;
  const [, host, port] = /^(\[[0-9a-f:]+\]|[a-z0-9_.-]+)(?::(\d{1,5}))?$/.exec(entry) ?? [];
  return host !== undefined && (port === undefined || isPort(port));
}

function isAddressOrNetwork(entry: string): boolean {
  const [, address, bits] = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(entry) ?? [];
  if (address !== undefined && isIP(address)) return Number(bits) <= (isIP(address) === 4 ? 32 : 128);
  return isIP(entry) !== 0;
}
