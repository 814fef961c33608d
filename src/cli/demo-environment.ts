import { randomBytes } from 'node:crypto';
import type { Environment } from '../config/load-config.ts';
import type { Simulator } from '../simulator/index.ts';

const KEY_BYTES = 32;

/**
 * The environment of a demo: what a person has set stays, but TikTok is the simulator, the queue is a new one, ports
 * are free ones and the data goes into a folder of its own.
 */
export function demoEnvironment(env: Environment, simulator: Simulator, folder: string): Environment {
  return {
    ...env,
    PORT: env.PORT || '0',
    DATA_DIR: env.DATA_DIR || folder,
    ENCRYPTION_KEYS: env.ENCRYPTION_KEYS || randomBytes(KEY_BYTES).toString('base64'),
    LOG_LEVEL: env.LOG_LEVEL || 'error',
    QUEUE_PREFIX: `{tiktok-publisher-demo-${randomBytes(4).toString('hex')}}`,
    MEDIA_ROOTS: '',
    TIKTOK_API_BASE_URL: simulator.url,
    TIKTOK_CLIENT_KEY: simulator.clientKey,
    TIKTOK_CLIENT_SECRET: simulator.clientSecret,
  };
}
