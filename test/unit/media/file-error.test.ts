import { open } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ERROR_TABLE } from '../../../src/core/error-table.ts';
import { PublishError } from '../../../src/core/publish-error.ts';
import { toFileError } from '../../../src/media/file-error.ts';
import { createReadAhead } from '../../../src/media/read-ahead.ts';

const errno = (code: string): Error => Object.assign(new Error(`${code}: read`), { code });

describe('what the system says of a file', () => {
  it.each([
    ['ESTALE', 'TRANSPORT_MEDIA_DISK'],
    ['EIO', 'TRANSPORT_MEDIA_DISK'],
    ['ETIMEDOUT', 'TRANSPORT_MEDIA_DISK'],
    ['EHOSTDOWN', 'TRANSPORT_MEDIA_DISK'],
    ['ENOTCONN', 'TRANSPORT_MEDIA_DISK'],
    ['EMFILE', 'TRANSPORT_MEDIA_DISK'],
    ['EACCES', 'INPUT_MEDIA_NOT_READABLE'],
    ['EPERM', 'INPUT_MEDIA_NOT_READABLE'],
    ['ENOENT', 'INPUT_MEDIA_NOT_FOUND'],
    ['ELOOP', 'INPUT_MEDIA_NOT_FOUND'],
    ['ENXIO', 'INPUT_MEDIA_NOT_A_FILE'],
  ])('%s is %s and names the file', (systemCode, code) => {
    const error = toFileError(errno(systemCode), '/mnt/a.mp4');
    expect(error).toMatchObject({ code, message: expect.stringContaining('/mnt/a.mp4') });
  });

  it('is tried again where it passes by itself', () => {
    expect(ERROR_TABLE.TRANSPORT_MEDIA_DISK).toMatchObject({ verdict: 'retry', outcomeKnown: true });
    expect(toFileError(errno('ESTALE'), '/a.mp4').message).toContain('ESTALE');
  });

  it('stays what we said of it already', () => {
    const error = new PublishError('INPUT_MEDIA_CHANGED');
    expect(toFileError(error, '/a.mp4')).toBe(error);
  });

  // A file of Linux's own whose first page nothing can read.
  it.runIf(process.platform === 'linux')('is told when a disk fails in the midst of reading', async () => {
    const handle = await open('/proc/self/mem');
    const { read } = createReadAhead(handle, '/mnt/a.mp4', 100);
    await expect(read(0, 100).next()).rejects.toMatchObject({
      code: 'TRANSPORT_MEDIA_DISK',
      message: 'the disk or network share returns an error for the file (EIO): /mnt/a.mp4',
    });
    await handle.close();
  });
});
