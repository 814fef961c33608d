import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { PIECE_CHARS, searchFor } from '../support/secret-search.ts';

const SECRET = 'act.Q7/x+"k9\\Zr2&w=T5!m4 pL0#s8^vB';
const search = searchFor([{ name: 'token', value: SECRET }]);
const found = (content: string | Buffer) =>
  search([{ channel: 'log', place: 'line 1', content }]).map(({ secret }) => secret);

describe('the search for secrets', () => {
  it.each([
    ['as they are', SECRET],
    ['in JSON', JSON.stringify({ token: SECRET })],
    ['percent-encoded', encodeURIComponent(SECRET)],
    ['in hex', Buffer.from(SECRET).toString('hex')],
    ['in upper-case hex', Buffer.from(SECRET).toString('hex').toUpperCase()],
    ['in base64', Buffer.from(SECRET).toString('base64')],
    ['in base64url', Buffer.from(SECRET).toString('base64url')],
    ['in base64 behind a name', Buffer.from(`user:${SECRET}`).toString('base64')],
    ['in base64 between others', Buffer.from(`ab${SECRET}yz`).toString('base64')],
  ])('finds them %s', (_form, text) => {
    expect(found(`before ${text} after`)).toEqual(['token']);
  });

  it('finds any piece that is long enough, and none that is shorter', () => {
    for (let at = 0; at + PIECE_CHARS <= SECRET.length; at++) {
      expect(found(`>${SECRET.slice(at, at + PIECE_CHARS)}<`)).toEqual(['token']);
      expect(found(`>${SECRET.slice(at, at + PIECE_CHARS - 1)}<`)).toEqual([]);
    }
  });

  it('finds bytes as they are, in hex and in base64', () => {
    const key = randomBytes(32);
    const searchKey = searchFor([{ name: 'key', value: key }]);
    for (const content of [Buffer.concat([randomBytes(9), key]), key.toString('hex'), key.toString('base64')]) {
      expect(searchKey([{ channel: 'file', place: 'dump', content }])).toHaveLength(1);
    }
    expect(searchKey([{ channel: 'file', place: 'dump', content: randomBytes(100_000) }])).toEqual([]);
  });

  it('tells where it found what', () => {
    const [leak] = search([{ channel: 'log', place: 'worker 2', content: `token ${SECRET}, refused` }]);
    expect(leak).toEqual({
      secret: 'token',
      channel: 'log',
      place: 'worker 2',
      surroundings: `token ${SECRET}, refused`,
    });
  });
});
