import { z } from 'zod';
import type { RedisTarget } from '../../src/config/redis-config.ts';
import { trapSchema } from './traps.ts';

/** Name of the variable that holds a chaos process's settings as JSON. */
export const SETTINGS_VARIABLE = 'CHAOS_PROCESS';

/** With which a chaos process ends that found no Redis at its start. */
export const REDIS_AWAY_EXIT_CODE = 75;

const redisSettings = {
  /** Written by us, so nothing is checked. */
  redis: z.custom<RedisTarget>(),
  prefix: z.string(),
  /** How many replicas must confirm what can't be taken back; by default as the topology has it. */
  waitReplicas: z.int().min(0).exactOptional(),
};

/** What a worker process is started with. */
export const workerSettingsSchema = z.strictObject({
  ...redisSettings,
  simulator: z.strictObject({ url: z.string(), clientKey: z.string(), clientSecret: z.string() }),
  /** Base64, 32 bytes. */
  encryptionKey: z.string(),
  logFile: z.string(),
  /** What media may be reached, and how. */
  media: z.strictObject({
    allowHosts: z.array(z.string()),
    s3: z.strictObject({ endpoint: z.string(), region: z.string(), forcePathStyle: z.boolean() }).optional(),
  }),
  chunkSizeBytes: z.int().min(1),
  /** When a worker counts as dead (ms), see src/workers/runtime/recovery.ts. */
  recovery: z.strictObject({
    lockDurationMs: z.int().min(1),
    stalledIntervalMs: z.int().min(1),
    sweepEveryMs: z.int().min(1),
  }),
  /** How long a graceful end may take. */
  shutdownTimeoutMs: z.int().min(0),
  traps: z.array(trapSchema),
  /** Where the web server is from which TikTok downloads media, if there is one. */
  publicBaseUrl: z.string().exactOptional(),
  /** What is done with what TikTok may refuse; by default nobody looks. */
  preflight: z.enum(['off', 'warn']).exactOptional(),
  /** Patience with TikTok, and pauses between polls: by default little of both, so that rounds are short. */
  pace: z.enum(['rapid', 'steady']).exactOptional(),
  /** After how long in processing an outcome counts as unknown; by default a day. */
  outcomeWithinMs: z.int().min(1).exactOptional(),
});
export type WorkerSettings = z.infer<typeof workerSettingsSchema>;

/** What an enqueuer process is started with. */
export const enqueuerSettingsSchema = z.strictObject({
  ...redisSettings,
  request: z.unknown(),
  idempotencyKey: z.string(),
  /** Where it is killed: `between` the job's record and its queue entry, or right `after` enqueue. */
  killed: z.enum(['between', 'after']),
});
export type EnqueuerSettings = z.infer<typeof enqueuerSettingsSchema>;
