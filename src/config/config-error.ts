import { PublishError } from '../core/publish-error.ts';

export interface SettingProblem {
  /** Name of the environment variable. */
  readonly variable: string;
  /** What was expected, what was given unless it is a secret, and how to fix it. */
  readonly message: string;
}

/** `CONFIG_INVALID`: every problem with the settings at once. */
export class ConfigError extends PublishError {
  readonly problems: readonly SettingProblem[];

  constructor(problems: readonly SettingProblem[]) {
    const details = problems.map(({ variable, message }) => ({ path: variable, message }));
    super('CONFIG_INVALID', { reason: 'the settings are not valid:', problems: details });
    this.name = 'ConfigError';
    this.problems = problems;
  }
}
