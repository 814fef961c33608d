import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';

/** Address of the real Redis that runs for the integration and e2e projects. */
export function testRedisUrl(): string {
  return inject('redisUrl');
}

/** A queue prefix that no other test uses, so that tests share one Redis without seeing each other. */
export function freshPrefix(): string {
  return `{t-${randomBytes(6).toString('hex')}}`;
}
