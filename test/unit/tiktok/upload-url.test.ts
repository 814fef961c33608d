import { describe, expect, it } from 'vitest';
import { parseUploadUrl } from '../../../src/tiktok/put-chunk.ts';

const tiktok = new URL('https://open.tiktokapis.com');

describe('parseUploadUrl', () => {
  it.each([
    'https://open-upload.tiktokapis.com/video/?upload_id=1&upload_token=a%2Fb~c',
    'https://open-upload-sg.tiktokapis.com/video/?upload_id=1',
    'https://upload.us.tiktokapis.com/upload/?x=y',
    'https://open-upload-i18n.tiktokapis.com/video/',
    'https://open-upload-of-tomorrow.tiktokapis.com/video/',
  ])('F16: takes %s, character for character', (text) => {
    expect(parseUploadUrl(text, tiktok).href).toBe(text);
  });

  it('takes the host and port of the API itself, as a simulator has them', () => {
    const simulator = new URL('http://127.0.0.1:4010');
    expect(parseUploadUrl('http://127.0.0.1:4010/upload/1', simulator).pathname).toBe('/upload/1');
    expect(() => parseUploadUrl('http://127.0.0.1:4011/upload/1', simulator)).toThrow('on 127.0.0.1:4010');
  });

  it('sends no file in the clear to a host that serves the API over https', () => {
    const own = new URL('https://tiktok.internal');
    expect(() => parseUploadUrl('http://tiktok.internal:443/upload/1', own)).toThrow('expected an https upload URL');
  });
});
