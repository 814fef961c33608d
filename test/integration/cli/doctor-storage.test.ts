import { createServer } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { storageFindings } from '../../../src/cli/doctor/setting-findings.ts';
import { eventually } from '../../support/eventually.ts';
import { hasSwift, SWIFT_CREDENTIALS, startSwift } from '../../support/swift-server.ts';

function s3At(endpoint: string) {
  return { s3: { isChosen: true, endpoint, region: 'us-east-1', forcePathStyle: true } };
}

function useSecret(secret: string): void {
  vi.stubEnv('AWS_ACCESS_KEY_ID', SWIFT_CREDENTIALS.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', secret);
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the doctor on object storage', () => {
  it('says nothing where no setting names any', async () => {
    const s3 = { isChosen: false, endpoint: undefined, region: 'eu-west-1', forcePathStyle: undefined };
    expect(await storageFindings({ s3 })).toEqual([]);
  });

  it('names an endpoint where nobody listens, and a service that is none', async () => {
    useSecret('any');
    expect(await storageFindings(s3At('http://127.0.0.1:1'))).toMatchObject([{ check: 'storage', level: 'problem' }]);
    const server = createServer((_request, response) => response.writeHead(500).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const [finding] = await storageFindings(s3At(`http://127.0.0.1:${port}`));
    expect(finding).toMatchObject({ level: 'problem' });
    expect(finding?.message).toContain(`127.0.0.1:${port}`);
    server.close();
  });

  it.skipIf(!hasSwift())(
    'tells good credentials from wrong ones (needs Swift)',
    async () => {
      const swift = await startSwift();
      useSecret(SWIFT_CREDENTIALS.secretAccessKey);
      // Swift's proxy answers before the servers behind it do.
      await eventually(async () => {
        expect(await storageFindings(s3At(swift.endpoint))).toMatchObject([{ check: 'storage', level: 'ok' }]);
      });
      useSecret('a-wrong-secret');
      const [finding] = await storageFindings(s3At(swift.endpoint));
      expect(finding).toMatchObject({ level: 'problem' });
      expect(finding?.fix).toContain('AWS_ACCESS_KEY_ID');
      expect(JSON.stringify(finding)).not.toContain('a-wrong-secret');
      await swift.close();
    },
    90_000,
  );
});
