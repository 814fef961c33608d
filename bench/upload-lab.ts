import { execFileSync } from 'node:child_process';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReadMedia } from '../src/core/media-route.ts';
import { startProgram } from './lab.ts';
import type { Cost } from './programs/parent.ts';

/** Where uploads of the bench go, what they are of, and the certificate of the TLS side. */
export type UploadLab = Awaited<ReturnType<typeof openUploadLab>>;

export async function openUploadLab() {
  const folder = await mkdtemp(join(tmpdir(), 'bench-uploads-'));
  const certificate = await makeCertificate(folder);
  const tiktok = await startProgram('tiktok', { pollsUntilDone: 1 });
  const tlsTikTok = await startProgram('tiktok', { pollsUntilDone: 1, tls: certificate });
  return {
    folder,
    ca: certificate.path,
    tiktok,
    urls: { plain: await tiktok.ask<string>('url'), tls: await tlsTikTok.ask<string>('url') },
    /** Runs an upload in a process of its own. */
    async upload(program: 'upload' | 'naive-upload', settings: UploadSettings): Promise<Cost> {
      const environment = { NODE_EXTRA_CA_CERTS: certificate.path, NODE_NO_WARNINGS: '1', ...CREDENTIALS };
      const uploader = await startProgram(program, settings, { environment, isOwn: program === 'upload' });
      try {
        return await uploader.ask<Cost>('upload');
      } finally {
        await uploader.end();
      }
    },
    async close(): Promise<void> {
      await tiktok.end();
      await tlsTikTok.end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface UploadSettings {
  readonly media: ReadMedia;
  readonly chunkSizeBytes: number;
  readonly tiktokUrl: string;
  readonly mediaServer?: string;
  /** How a naive upload reads its file. */
  readonly way?: 'whole' | 'stream';
}

/** The SDK signs with them; nobody checks them. */
const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench', AWS_REGION: 'us-east-1' };

async function makeCertificate(folder: string) {
  const [keyPath, path] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const subject = ['-subj', '/CN=bench', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject];
  execFileSync('openssl', [...args, '-keyout', keyPath, '-out', path], { stdio: 'ignore' });
  return { path, key: await readFile(keyPath, 'utf8'), cert: await readFile(path, 'utf8') };
}

/** A video of zeros behind the start of an MP4. Its zeros take no room on disk, and it is old enough to be whole. */
export async function makeHollowVideo(folder: string, sizeBytes: number): Promise<string> {
  const path = join(folder, `video-${sizeBytes}.mp4`);
  const file = await open(path, 'w');
  await file.write(Buffer.from('0000001c667479706d703432000000006d70343269736f6d61766331', 'hex'));
  await file.truncate(sizeBytes);
  await file.utimes(1, 1);
  await file.close();
  return path;
}
