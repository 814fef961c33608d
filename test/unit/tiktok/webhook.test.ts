import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isSignedByTikTok, parseWebhook } from '../../../src/tiktok/signed-webhook.ts';

const SECRET = 'client-secret';
const body = Buffer.from(
  '{"client_key":"k","event":"post.publish.publicly_available","create_time":1795449600,"user_openid":"o-1",' +
    '"content":"{\\"publish_id\\":\\"v_pub_file~v2-1.123\\",\\"post_id\\":7678907398077074696,\\"publish_type\\":\\"DIRECT_POST\\"}"}',
);

function sign(secret: string, seconds: string, signed: Buffer): string {
  return `t=${seconds},s=${createHmac('sha256', secret).update(`${seconds}.`).update(signed).digest('hex')}`;
}

describe('the signature of a webhook', () => {
  const header = sign(SECRET, '1795449601', body);

  it('fits the body and the secret it was made with', () => {
    expect(isSignedByTikTok(header, body, SECRET)).toBe(true);
    expect(isSignedByTikTok(header.split(',').reverse().join(', '), body, SECRET)).toBe(true);
  });

  it.each([
    ['a body of which one byte is another', header, Buffer.from(body.toString().replace('o-1', 'o-2'))],
    ['the same JSON written otherwise', header, Buffer.from(JSON.stringify(JSON.parse(body.toString()), null, 1))],
    ['another time', header.replace('1795449601', '1795449602'), body],
    ['another secret', sign('other', '1795449601', body), body],
    ['a signature that is too short', header.slice(0, -2), body],
    ['no hex', 't=1795449601,s=zz', body],
    ['no time', header.replace('t=1795449601,', ''), body],
    ['a time of no digits', sign(SECRET, 'now', body), body],
    ['a time that is no whole number', sign(SECRET, '1.5', body), body],
    ['a time before 1970', sign(SECRET, '-1', body), body],
    ['nothing', '', body],
    ['no header', undefined, body],
  ])('does not fit %s', (_, given, signed) => {
    expect(isSignedByTikTok(given, signed, SECRET)).toBe(false);
  });
});

describe('the body of a webhook', () => {
  it('is read with every digit of its post id', () => {
    expect(parseWebhook(body)).toEqual({
      clientKey: 'k',
      event: 'post.publish.publicly_available',
      openId: 'o-1',
      createdAt: 1_795_449_600_000,
      publishId: 'v_pub_file~v2-1.123',
      postId: '7678907398077074696',
      reason: undefined,
    });
  });

  it.each([
    ['{"reason":1}', '1'],
    ['{"reason":"1"}', '1'],
    ['{}', undefined],
    ['not JSON', undefined],
  ])('is read whatever its content %s', (content, reason) => {
    const removed = { event: 'authorization.removed', create_time: 1, user_openid: 'o-1', content };
    expect(parseWebhook(Buffer.from(JSON.stringify(removed)))).toMatchObject({ openId: 'o-1', reason });
    expect(parseWebhook(Buffer.from(JSON.stringify({ ...removed, content: { reason: 1 } })))?.reason).toBe('1');
  });

  it.each(['', 'no', '[]', '{}', '{"event":"","create_time":1}', '{"event":"x","create_time":"soon"}'])(
    'is none: %s',
    (text) => {
      expect(parseWebhook(Buffer.from(text))).toBeUndefined();
    },
  );
});
