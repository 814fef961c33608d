import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/observability/logger.ts';

function collectingLogger(level: 'info' | 'debug') {
  const lines: string[] = [];
  const log = createLogger({ level, destination: { write: (line: string) => void lines.push(line) } });
  return { log, lines };
}

describe('logger', () => {
  it('writes one JSON object a line, with an ISO time', () => {
    const { log, lines } = collectingLogger('info');
    log.info({ chunkIndex: 3 }, 'chunk accepted');
    expect(lines).toHaveLength(1);
    const line: unknown = JSON.parse(lines.join(''));
    expect(line).toMatchObject({ chunkIndex: 3, msg: 'chunk accepted' });
    expect(line).toHaveProperty('time', expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/));
  });

  it('blanks secret fields wherever they are nested', () => {
    const { log, lines } = collectingLogger('info');
    const secret = 'act.planted-secret';
    log.info({ accessToken: secret, grant: { refresh_token: secret } }, 'refreshed');
    log.error({ request: { headers: { authorization: secret } }, upload: { uploadUrl: secret } }, 'refused');
    expect(lines.join('')).not.toContain(secret);
    expect(lines.join('')).toContain('[secret]');
  });

  it('keeps quiet below its level', () => {
    const { log, lines } = collectingLogger('info');
    log.debug('not for now');
    expect(lines).toEqual([]);
  });
});
