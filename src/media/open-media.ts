import type { LookAtPhoto, OpenMedia } from '../core/ports.ts';
import { parseAllowList } from '../outbound/allow-list.ts';
import { createOutboundAgent } from '../outbound/outbound-agent.ts';
import type { ProxySettings } from '../outbound/proxy-settings.ts';
import { openFileSource } from './file-source.ts';
import { lookAtSource, photoLook } from './photo-look.ts';
import { createS3Opener, type S3Settings } from './s3-source.ts';
import { SHIPPED_FOLDER } from './shipped-videos.ts';
import { openUrlSource } from './url-source.ts';

export interface MediaAccess {
  /** Folders that files must live under, beside that of our own videos; see `openFileSource`. */
  readonly roots?: readonly string[] | undefined;
  /** Hosts that URLs may lead to although they are not public: `OUTBOUND_ALLOW_HOSTS`. */
  readonly allowHosts?: readonly string[];
  /** Proxies that URLs and object storage are reached through; by default none. */
  readonly proxy?: ProxySettings | undefined;
  readonly s3?: S3Settings;
  /** Longest time that a server may send nothing (ms). Default 15 s. */
  readonly stallMs?: number;
}

export interface MediaOpener {
  readonly open: OpenMedia;
  readonly lookAtPhoto: LookAtPhoto;
  /** Ends all connections, those in use too. */
  close(): Promise<void>;
}

/** Connects to nothing yet, and loads the AWS SDK for the first `s3` source only. */
export function createMediaOpener({ roots, allowHosts = [], proxy, s3 = {}, stallMs }: MediaAccess = {}): MediaOpener {
  const allowed = parseAllowList(allowHosts);
  const outbound = { agent: createOutboundAgent({ allowed, proxy }), allowed };
  const objects = createS3Opener({ ...s3, proxy }, stallMs);
  const lookAtUrl = photoLook(outbound, stallMs);
  const open: OpenMedia = async (media, kind) => {
    switch (media.type) {
      case 'file':
        return await openFileSource(media.path, { roots: roots && [...roots, SHIPPED_FOLDER], kind });
      case 'url':
        return await openUrlSource(media.url, { outbound, kind, ...(stallMs !== undefined && { stallMs }) });
      case 's3':
        return await objects.open(media, kind);
    }
  };
  return {
    open,
    lookAtPhoto: async (photo, options) =>
      photo.type === 'pull' ? await lookAtUrl(photo.url, options) : await lookAtSource(await open(photo, 'photo')),
    close: async () => {
      objects.close();
      await outbound.agent.destroy();
    },
  };
}
