import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { eventually } from './eventually.ts';
import { SWIFT_CREDENTIALS, type SwiftServer } from './swift-server.ts';

/** A bucket on a test's Swift, and what a person does with it. */
export async function createBucket(swift: Pick<SwiftServer, 'endpoint' | 'region'>, bucket: string) {
  const client = new S3Client({
    endpoint: swift.endpoint,
    region: swift.region,
    forcePathStyle: true,
    credentials: SWIFT_CREDENTIALS,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  const patience = { timeoutMs: 90_000, intervalMs: 200 };
  // Swift's proxy is up before the servers behind it are, and answers 503 until then.
  await eventually(async () => {
    try {
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'BucketAlreadyOwnedByYou') throw error;
    }
  }, patience);
  const first = { Bucket: bucket, Key: 'first', Body: Buffer.from('first') };
  await eventually(() => client.send(new PutObjectCommand(first)), patience);
  return {
    bucket,

    /** @returns the version, where the bucket keeps versions */
    async put(key: string, body: Buffer): Promise<string | undefined> {
      const { VersionId } = await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
      return VersionId;
    },

    async putFile(key: string, path: string): Promise<void> {
      const { size } = await stat(path);
      const body = createReadStream(path);
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentLength: size }));
    },

    async keepVersions(): Promise<void> {
      const VersioningConfiguration = { Status: 'Enabled' } as const;
      await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
    },

    close: () => client.destroy(),
  };
}
