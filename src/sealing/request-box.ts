import type { PublishRequest } from '../core/publish-request.ts';
import { type RequestSecrets, withOpenedUrls, withSealedUrls } from '../core/request-secrets.ts';
import { createBoxOpener, sealTo } from './box.ts';

/** Seals and opens the secrets of requests with keys that follow from `ENCRYPTION_KEYS`. */
export function createRequestSecrets(
  encryptionKeys: readonly Buffer[],
): RequestSecrets & { readonly publicKey: string } {
  const opener = createBoxOpener(encryptionKeys);
  return {
    publicKey: opener.publicKey,
    seal: (request, jobId) => sealRequest(request, jobId, opener.publicKey),
    open: (request, jobId) => withOpenedUrls(request, (sealed) => opener.open(sealed, contextOf(jobId))),
  };
}

/** The request with its secrets sealed to a public key. */
export function sealRequest(request: PublishRequest, jobId: string, publicKey: string): PublishRequest {
  return withSealedUrls(request, (plaintext) => sealTo(publicKey, plaintext, contextOf(jobId)));
}

function contextOf(jobId: string): string {
  return `request-urls:${jobId}`;
}
