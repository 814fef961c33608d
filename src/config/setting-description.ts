import type { z } from 'zod';

/** What people are told about one environment variable. */
export interface SettingDescription {
  readonly group: 'Redis' | 'Queue' | 'TikTok' | 'Secrets' | 'Web server' | 'Work' | 'Media' | 'Process' | 'Traces';
  /** What it does and when to change it; Markdown. */
  readonly meaning: string;
  /** The value it has when it is not set. */
  readonly fallback?: string;
  /** What being unset means, where there is no such value. */
  readonly unset?: string;
  /** Its value is never shown. */
  readonly secret?: true;
}

type SettingWords = Pick<SettingDescription, 'meaning' | 'unset' | 'secret'>;

const descriptions = new Map<z.ZodType, SettingDescription>();

/** How the settings of one group are described. */
export function settingsOf(group: SettingDescription['group']) {
  return {
    optional<T extends z.ZodType<unknown, string>>(type: T, words: SettingWords): z.ZodOptional<T> {
      return described(type.optional(), { ...words, group });
    },

    /** A setting with a value of its own where it is left out. */
    withDefault<T extends z.ZodType<unknown, string>>(
      type: T,
      fallback: z.input<T>,
      words: SettingWords,
    ): z.ZodPrefault<T> {
      return described(type.prefault(fallback), { ...words, group, fallback });
    },
  };
}

function described<T extends z.ZodType>(type: T, description: SettingDescription): T {
  descriptions.set(type, description);
  return type;
}

/** What was said of a setting. */
export function descriptionOf(type: z.ZodType): SettingDescription | undefined {
  return descriptions.get(type);
}
