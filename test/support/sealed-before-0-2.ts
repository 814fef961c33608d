import { readFileSync } from 'node:fs';
import type { PublishRequest } from '../../src/core/publish-request.ts';

interface RecordedValues {
  readonly key: string;
  readonly olderKey: string;
  readonly jobId: string;
  readonly tokens: Tokens;
  readonly tokensOfOlderKey: Tokens;
  readonly uploadUrl: { readonly plain: string; readonly sealed: string };
  readonly publishedKey: string;
  readonly request: PublishRequest;
  readonly sealedRequest: PublishRequest & { readonly sealed: string };
  readonly sealedRequestOfOlderKey: PublishRequest;
}

type Tokens = Readonly<Record<'accessToken' | 'refreshToken' | 'fallbackRefreshToken', string>>;

const recorded: RecordedValues = JSON.parse(
  readFileSync(new URL('../fixtures/sealing/sealed-by-a3e916a.json', import.meta.url), 'utf8'),
);

/** What the code of commit a3e916a has sealed, and its keys. The account is `acme`. */
export const oldValues = {
  ...recorded,
  key: Buffer.from(recorded.key, 'base64'),
  olderKey: Buffer.from(recorded.olderKey, 'base64'),
};
