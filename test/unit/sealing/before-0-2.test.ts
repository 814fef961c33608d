import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sealContext } from '../../../src/accounts/account-record.ts';
import { createRequestSecrets } from '../../../src/sealing/request-box.ts';
import { createSealer } from '../../../src/sealing/sealer.ts';
import { rejection } from '../../support/rejection.ts';
import { oldValues } from '../../support/sealed-before-0-2.ts';

const { key, jobId, uploadUrl, tokens, tokensOfOlderKey, request, sealedRequest } = oldValues;
const context = `upload-url:${jobId}`;

describe('values sealed before version 0.2.0', () => {
  it('are read: tokens, upload URLs, and the secrets of requests', async () => {
    const sealer = createSealer([randomBytes(32), key]);
    expect(await sealer.open(uploadUrl.sealed, context)).toBe(uploadUrl.plain);
    for (const field of ['accessToken', 'refreshToken', 'fallbackRefreshToken'] as const) {
      expect(await sealer.open(tokens[field], sealContext('acme', field))).toBe(`old-${field}`);
    }
    expect(await createRequestSecrets([randomBytes(32), key]).open(sealedRequest, jobId)).toEqual(request);
  });

  it('do not open in another context, changed, or as each other', async () => {
    const sealer = createSealer([key]);
    const secrets = createRequestSecrets([key]);
    const body = uploadUrl.sealed;
    const flipped = `${body.slice(0, -8)}${body.at(-8) === 'A' ? 'B' : 'A'}${body.slice(-7)}`;
    const openings = [
      sealer.open(uploadUrl.sealed, 'upload-url:other'),
      sealer.open(flipped, context),
      sealer.open(sealedRequest.sealed, `request-urls:${jobId}`),
      secrets.open(sealedRequest, 'other'),
      secrets.open({ ...sealedRequest, sealed: uploadUrl.sealed }, jobId),
    ];
    for (const opening of openings) expect((await rejection(opening)).code).toBe('INTERNAL_TAMPERED');
  });

  it('whose key is gone say which, and for what', async () => {
    const token = createSealer([key]).open(tokensOfOlderKey.accessToken, sealContext('acme', 'accessToken'));
    const error = await rejection(token);
    expect(error.code).toBe('CONFIG_KEY_UNKNOWN');
    expect(error.message).toContain('ENCRYPTION_KEYS does not contain key 857ebbec, which encrypted');
    const other = await rejection(createRequestSecrets([key]).open(oldValues.sealedRequestOfOlderKey, jobId));
    expect(other.code).toBe('CONFIG_KEY_UNKNOWN');
  });

  it('are still made while a service of such a version may run, and not sealed anew', async () => {
    const oldFormInUse = () => Promise.resolve(true);
    const sealer = createSealer([key], oldFormInUse);
    const sealed = await sealer.seal('secret', context);
    expect(sealed).toMatch(/^v1\./);
    expect(await sealer.needsReseal(sealed)).toBe(false);
    expect(await createSealer([key]).needsReseal(sealed)).toBe(true);
    expect(await createSealer([key]).open(sealed, context)).toBe('secret');
    const secrets = createRequestSecrets([key], oldFormInUse);
    expect(secrets.publicKeys.before02).toBe(oldValues.publishedKey);
    const stored = await secrets.seal(request, jobId);
    expect(stored.sealed).toMatch(/^x1\.c9128d13\./);
    expect(await secrets.open(stored, jobId)).toEqual(request);
  });
});
