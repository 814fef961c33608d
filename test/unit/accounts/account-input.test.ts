import { describe, expect, it } from 'vitest';
import { checkAccountInput, parseAccountInput } from '../../../src/accounts/account-input.ts';
import { PublishError } from '../../../src/core/publish-error.ts';

function problemsOf(action: () => unknown): Record<string, string> {
  try {
    action();
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    expect(error.code).toBe('INPUT_INVALID');
    return Object.fromEntries((error.details.problems ?? []).map(({ path, message }) => [path, message]));
  }
  throw new Error('expected INPUT_INVALID');
}

describe('account input', () => {
  it('takes the object that operators hand in, with lifetimes in seconds', () => {
    const input = {
      accessToken: 'act.1',
      expiresIn: 7200,
      refreshToken: 'rft.1',
      refreshExpiresIn: 15_552_000,
      scope: 'video.publish,video.upload',
    };
    expect(parseAccountInput(input)).toEqual({
      accessToken: 'act.1',
      expiresInSeconds: 7200,
      refreshToken: 'rft.1',
      refreshExpiresInSeconds: 15_552_000,
      scope: 'video.publish,video.upload',
    });
  });

  it('needs the access token alone', () => {
    expect(parseAccountInput({ accessToken: 'act.1' })).toMatchObject({ accessToken: 'act.1' });
  });

  it('lists every problem at once and quotes no value', () => {
    const input = {
      accessToken: 'act.planted secret',
      expiresIn: '7200',
      refreshExpiresIn: -1,
      refresh_token: 'rft.planted',
    };
    const problems = problemsOf(() => parseAccountInput(input));
    expect(Object.keys(problems).sort()).toEqual(['accessToken', 'expiresIn', 'refreshExpiresIn', 'refresh_token']);
    expect(problems.refresh_token).toContain('refreshToken');
    expect(JSON.stringify(problems)).not.toContain('planted');
  });

  it.each([['act.planted'], ['rft.planted'], ['planted1234567890'], ['planted'.repeat(6)], ['planted with blanks']])(
    'does not repeat the unknown field %j, which may be a token in the wrong place',
    (name) => {
      const problems = problemsOf(() => parseAccountInput({ accessToken: 'act.1', [name]: '', access_token: '' }));
      expect(Object.keys(problems).sort()).toEqual(['access_token', 'input']);
      expect(problems.input).toMatch(/^1 unknown field, not shown here.*expected one of openId, accessToken/);
      expect(JSON.stringify(problems)).not.toContain('planted');
    },
  );

  it.each([[undefined], [null], ['act.1'], [[]]])('says what is expected instead of %j', (input) => {
    expect(problemsOf(() => parseAccountInput(input)).input).toContain('accessToken');
  });

  it('refuses names that could not be told apart in a key', () => {
    const problems = problemsOf(() => checkAccountInput({ account: 'a b', openId: '', accessToken: 'act.1' }));
    expect(Object.keys(problems).sort()).toEqual(['account', 'openId']);
  });
});
