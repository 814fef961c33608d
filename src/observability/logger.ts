import { format } from 'node:util';
import { type DestinationStream, type Level, type Logger, pino, stdTimeFunctions } from 'pino';
import type { LogStream } from './readable-lines.ts';

/**
 * Fields that hold secrets. No line should carry them at all: errors and jobs are built without them. This is the
 * second lock, for the day somebody logs a whole object.
 */
const SECRET_FIELDS = [
  'accessToken',
  'access_token',
  'refreshToken',
  'refresh_token',
  'clientSecret',
  'client_secret',
  'uploadUrl',
  'upload_url',
  'authorization',
  'Authorization',
  'cookie',
  'password',
  'apiKeys',
  'encryptionKeys',
];
const SECRET_DEPTHS = ['', '*.', '*.*.'];
const STDERR_FD = 2;

export interface OpenLoggerOptions {
  readonly level: Level | 'silent';
  /** How lines look: for programs, for people, or `auto`: for people on a terminal and for programs elsewhere. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** Where lines go; standard error unless given, since standard output belongs to the answers. */
  readonly stream?: LogStream;
}

/** The program's logger: each line with its time, secrets blanked down to two levels of nesting. */
export async function openLogger(options: OpenLoggerOptions): Promise<Logger> {
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      redact: {
        paths: SECRET_DEPTHS.flatMap((depth) => SECRET_FIELDS.map((field) => `${depth}${field}`)),
        censor: '[secret]',
      },
    },
    await openDestination(options),
  );
}

async function openDestination({
  level,
  format,
  stream = process.stderr,
}: OpenLoggerOptions): Promise<DestinationStream> {
  const isForPeople = format === 'pretty' || (format === 'auto' && stream.isTTY === true);
  // Loaded only where somebody reads: most processes never need it.
  if (isForPeople && level !== 'silent') return (await import('./readable-lines.ts')).readableLines(stream);
  // Synchronous, so that the last words before an exit are not lost.
  return stream === process.stderr ? pino.destination({ dest: STDERR_FD, sync: true }) : stream;
}

const MAX_CHARS = 500;

/**
 * Takes what libraries write to the console, such as BullMQ's warning about the eviction policy, into the log: each text
 * once. Only for a process of our own: in another app's, the console is that app's.
 *
 * @returns gives the console back
 */
export function logConsoleLines(log: Logger): () => void {
  const { warn, error } = console;
  const seen = new Set<string>();
  const write = (...parts: unknown[]): void => {
    const text = format(...parts)
      .replace(/\/\/[^\s/@]*@/g, '//')
      .replace(/\s+/g, ' ')
      .slice(0, MAX_CHARS);
    if (seen.has(text)) return;
    seen.add(text);
    log.warn({ text }, 'a library wrote to the console');
  };
  Object.assign(console, { warn: write, error: write });
  return () => void Object.assign(console, { warn, error });
}
