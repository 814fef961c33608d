import { describe, expect, it } from 'vitest';
import { isFromOwnPage } from '../../../src/http/request-origin.ts';

const host = 'localhost:3000';
const isOurs = (headers: Readonly<Record<string, string>>, method = 'POST') =>
  isFromOwnPage({ method, headers: { host, ...headers } });

describe('a request', () => {
  it.each([
    ['a program that is no browser', {}],
    ['a page of ours', { 'sec-fetch-site': 'same-origin' }],
    ['a page of ours, over a connection that the browser does not trust', { origin: `http://${host}` }],
    ['a page of ours, under a name in capital letters', { host: 'LOCALHOST:3000', origin: `http://${host}` }],
    [
      'a page of ours, behind a proxy that says what it changed',
      { origin: 'http://board.lan', 'x-forwarded-host': 'board.lan' },
    ],
    ['a page of ours, behind two proxies', { origin: 'http://board.lan', 'x-forwarded-host': 'Board.LAN, inner' }],
    ['a page of ours, behind a proxy', { 'sec-fetch-site': 'same-origin', origin: 'https://board.example.com' }],
  ])('is taken from %s', (_, headers) => {
    expect(isOurs(headers)).toBe(true);
  });

  it.each([
    ['a page of another site', { 'sec-fetch-site': 'cross-site' }],
    ['a neighbour on the same site', { 'sec-fetch-site': 'same-site' }],
    ['a page of another site that names no fetch site', { origin: 'https://evil.example' }],
    ['a page of another port', { origin: 'http://localhost:4000' }],
    ['a page whose origin is hidden', { origin: 'null' }],
    ['another site behind a proxy', { origin: 'http://evil.example', 'x-forwarded-host': 'board.lan' }],
    ['a page of an empty name', { origin: '', 'x-forwarded-host': '' }],
    ['another site that claims our origin', { 'sec-fetch-site': 'cross-site', origin: `http://${host}` }],
  ])('is not taken from %s', (_, headers) => {
    expect(isOurs(headers)).toBe(false);
    expect(isOurs(headers, 'GET')).toBe(false);
  });

  it('that somebody typed into the address bar may look, and change nothing', () => {
    expect(isOurs({ 'sec-fetch-site': 'none' }, 'GET')).toBe(true);
    expect(isOurs({ 'sec-fetch-site': 'none' }, 'PUT')).toBe(false);
  });
});
