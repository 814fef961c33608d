import cookie from '@fastify/cookie';
import session, { type SessionStore } from '@fastify/session';
import type { FastifyInstance, Session } from 'fastify';
import { z } from 'zod';
import { parseStored } from '../../core/parse-stored.ts';
import { redisTroubleOf } from '../../core/redis-trouble.ts';
import { sha256Hex } from '../../core/request-digest.ts';
import { HOUR_MS } from '../../core/units.ts';
import type { Keys } from '../../redis/keys.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import type { SessionSecrets } from './sign-in.ts';

declare module 'fastify' {
  interface Session {
    /** Of what its user signed in with; undefined: nobody has. */
    proof?: string;
  }
}

/** How long one stays signed in. */
const SESSION_MS = 12 * HOUR_MS;

/** What somebody else wrote there is no session. */
const storedSession = z.custom<Session>((value) => storedShape.safeParse(value).success);
const storedShape = z.looseObject({
  cookie: z.looseObject({ expires: z.iso.datetime() }),
  proof: z.string().optional(),
});

/** What sessions need. */
export interface Sessions {
  readonly secrets: SessionSecrets;
  readonly store: SessionStore;
}

/** Sessions that every web server over the same Redis knows. Redis has their ids as digests only. */
export function createSessions(
  { redis, keys }: { readonly redis: RedisClient; readonly keys: Pick<Keys, 'session'> },
  secrets: SessionSecrets,
): Sessions {
  const keyOf = (id: string) => keys.session(sha256Hex(id));
  return {
    secrets,
    store: {
      set: (id, value, done) =>
        void redis.set(keyOf(id), JSON.stringify(value), 'PX', SESSION_MS).then(() => done(), refusedTo(done)),
      get: (id, done) =>
        void redis.get(keyOf(id)).then((json) => done(null, parseStored(storedSession, json ?? '')), refusedTo(done)),
      destroy: (id, done) => void redis.del(keyOf(id)).then(() => done(), refusedTo(done)),
    },
  };
}

/** Has people told that Redis is away where it is. */
function refusedTo(done: (error: unknown) => void) {
  return (error: unknown) => done(redisTroubleOf(error) ?? error);
}

/** Lets the requests of a scope have a session. Who has none costs nothing. */
export async function addSessions(scope: FastifyInstance, { secrets, store }: Sessions): Promise<void> {
  await scope.register(cookie);
  await scope.register(session, {
    ...{ secret: [...secrets], store, cookieName: 'tiktok-publisher', saveUninitialized: false, rolling: false },
    // Lax: links to pages work from elsewhere, and forms of other sites are refused before any route.
    cookie: { path: '/', httpOnly: true, sameSite: 'lax', secure: 'auto', maxAge: SESSION_MS },
  });
}
