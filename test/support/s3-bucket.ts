import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
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
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
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
