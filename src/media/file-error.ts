import type { ErrorCode } from '../core/error-table.ts';
import { PublishError } from '../core/publish-error.ts';
import { codeOf, isErrno } from '../core/system-error.ts';

const NOT_FOUND = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE'];
const NOT_A_FILE = ['EISDIR', 'ENXIO', 'ENODEV'];
/**
 * Errors of a disk, a network share or the machine that pass, or that end when the file is opened again: a file handle
 * that its NFS server no longer knows (ESTALE), a share that went away, a disk that did not answer, too many open files.
 */
const PASSING = [
  ...['ESTALE', 'EIO', 'ETIMEDOUT', 'EREMOTEIO', 'EHOSTDOWN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTCONN', 'ENOLINK'],
  ...['ECONNREFUSED', 'ECONNABORTED', 'ECONNRESET', 'EAGAIN', 'EBUSY', 'EINTR', 'ENOMEM', 'EMFILE', 'ENFILE'],
];

/** Whether an error of the operating system says that there is no file of this name. */
export function isNoSuchFile(error: unknown): boolean {
  return isErrno(error, ...NOT_FOUND);
}

/** What went wrong with a file, naming its path; a PublishError stays as it is. */
export function toFileError(error: unknown, path: string): PublishError {
  if (error instanceof PublishError) return error;
  const { code, problem } = explain(error);
  return new PublishError(code, { reason: `${problem}: ${path}` }, { cause: error });
}

/**
 * Runs one step with a file.
 * @throws PublishError that names the path
 */
export async function explained<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toFileError(error, path);
  }
}

function explain(error: unknown): { code: ErrorCode; problem: string } {
  if (isNoSuchFile(error)) return { code: 'INPUT_MEDIA_NOT_FOUND', problem: 'the file does not exist' };
  if (isErrno(error, ...NOT_A_FILE)) return { code: 'INPUT_MEDIA_NOT_A_FILE', problem: 'expected a video file' };
  const systemCode = codeOf(error) ?? 'unknown error';
  if (isErrno(error, ...PASSING)) {
    return {
      code: 'TRANSPORT_MEDIA_DISK',
      problem: `the disk or network share returns an error for the file (${systemCode})`,
    };
  }
  return { code: 'INPUT_MEDIA_NOT_READABLE', problem: `the file cannot be read (${systemCode})` };
}
