/** What publishing needs: `video.publish` to post directly, `video.upload` to leave drafts in the inbox. */
export const PUBLISHING_SCOPES = ['video.publish', 'video.upload'] as const;

/** The scopes of a comma list, as TikTok sends what a user granted. */
export function splitScopes(scope: string | null | undefined): string[] {
  return (scope ?? '').split(/[\s,]+/).filter((name) => name !== '');
}

/** What publishing needs and the user did not grant; nothing where it is not known what they granted. */
export function missingScopes(scope: string | null | undefined): string[] {
  const granted = splitScopes(scope);
  return granted.length === 0 ? [] : PUBLISHING_SCOPES.filter((name) => !granted.includes(name));
}
