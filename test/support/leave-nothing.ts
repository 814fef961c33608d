import { afterAll, expect } from 'vitest';
import { openRedisConnections } from '../../src/redis/connections.ts';

// Files share their process, so that what one leaves open would be in the way of the next.
afterAll(() => expect(openRedisConnections()).toEqual([]));
