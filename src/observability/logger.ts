import { type DestinationStream, type Level, type Logger, pino, stdTimeFunctions } from 'pino';
import type { LogStream } from './readable-lines.ts';

export interface LoggerOptions {
  readonly level: Level | 'silent';
  /** Where the lines go; standard error unless given, since standard output belongs to the answers. */
  readonly destination?: DestinationStream | undefined;
}

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

/** How lines look: for programs, for people, or `auto`: for people on a terminal and for programs elsewhere. */
type LogFormat = 'auto' | 'json' | 'pretty';

export interface OpenLoggerOptions {
  readonly level: LoggerOptions['level'];
  readonly format: LogFormat;
  /** Standard error unless given. */
  readonly stream?: LogStream;
}

/** The logger of a process, which writes to standard error. What makes lines readable is loaded only where it is needed. */
export async function openLogger({ level, format, stream }: OpenLoggerOptions): Promise<Logger> {
  const shown = stream ?? process.stderr;
  const isForPeople = format === 'pretty' || (format === 'auto' && shown.isTTY === true);
  if (!isForPeople || level === 'silent') return createLogger({ level, destination: stream });
  const { readableLines } = await import('./readable-lines.ts');
  return createLogger({ level, destination: readableLines(shown) });
}

/** A logger that writes JSON lines with ISO times, secrets blanked down to two levels of nesting. */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      redact: {
        paths: SECRET_DEPTHS.flatMap((depth) => SECRET_FIELDS.map((field) => `${depth}${field}`)),
        censor: '[secret]',
      },
    },
    // Synchronous, so that the last words before an exit are not lost.
    destination ?? pino.destination({ dest: STDERR_FD, sync: true }),
  );
}
