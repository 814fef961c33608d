import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';

/** Address of the real Redis that runs for the integration and e2e projects. */
export function testRedisUrl(): string {
  return inject('redisUrl');
}

/** The same Redis through something that listens on another port. */
export function testRedisUrlAt(port: number): string {
  const url = new URL(testRedisUrl());
  url.port = String(port);
  return url.href;
}

/** A queue prefix that no other test uses, so that tests share one Redis without seeing each other. */
export function freshPrefix(): string {
  return `{t-${randomBytes(6).toString('hex')}}`;
}
