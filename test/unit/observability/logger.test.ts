import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type OpenLoggerOptions, openLogger } from '../../../src/observability/logger.ts';

async function collectingLogger(level: 'info' | 'debug') {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const log = await openLogger({ level, format: 'auto', stream });
  return { log, lines };
}

describe('logger', () => {
  it('writes one JSON object a line, with an ISO time', async () => {
    const { log, lines } = await collectingLogger('info');
    log.info({ chunkIndex: 3 }, 'chunk accepted');
    expect(lines).toHaveLength(1);
    const line: unknown = JSON.parse(lines.join(''));
    expect(line).toMatchObject({ chunkIndex: 3, msg: 'chunk accepted' });
    expect(line).toHaveProperty('time', expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/));
  });

  it('blanks secret fields wherever they are nested', async () => {
    const { log, lines } = await collectingLogger('info');
    const secret = 'act.planted-secret';
    log.info({ accessToken: secret, grant: { refresh_token: secret } }, 'refreshed');
    log.error({ request: { headers: { authorization: secret } }, upload: { uploadUrl: secret } }, 'refused');
    expect(lines.join('')).not.toContain(secret);
    expect(lines.join('')).toContain('[secret]');
  });

  it('keeps quiet below its level', async () => {
    const { log, lines } = await collectingLogger('info');
    log.debug('not for now');
    expect(lines).toEqual([]);
  });
});

describe('the log of a process', () => {
  function stream(isTTY: boolean) {
    const lines: string[] = [];
    return { lines, isTTY, hasColors: () => isTTY, write: (line: string) => void lines.push(line) };
  }

  async function linesOf(isTTY: boolean, format: OpenLoggerOptions['format']): Promise<string> {
    const to = stream(isTTY);
    const log = await openLogger({ level: 'info', format, stream: to });
    log.info({ publishJobId: 'order-1', accessToken: 'act.planted-secret' }, 'upload completed');
    return to.lines.join('');
  }

  it('is readable on a terminal: colours, time, level, message and job id on one line, and no secret', async () => {
    const [line = '', ...rest] = (await linesOf(true, 'auto')).trimEnd().split('\n');
    expect(rest).toEqual([]);
    expect(line).toContain('\u001B[32mINFO\u001B[39m');
    expect(stripVTControlCharacters(line)).toMatch(
      /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: upload completed \{"publishJobId":"order-1","accessToken":"\[secret\]"\}$/,
    );
  });

  it('is JSON where no person looks, or where LOG_FORMAT says so', async () => {
    for (const json of [await linesOf(false, 'auto'), await linesOf(true, 'json')]) {
      expect(JSON.parse(json)).toMatchObject({ level: 30, msg: 'upload completed', publishJobId: 'order-1' });
    }
  });

  it('is readable without colours where LOG_FORMAT asks for it in a file', async () => {
    expect(await linesOf(false, 'pretty')).toMatch(/^\[\S+\] INFO: upload completed/);
  });
});
