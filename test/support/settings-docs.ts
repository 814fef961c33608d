import { SETTING_DESCRIPTIONS } from '../../src/config/settings-table.ts';

const groups = [...new Set(SETTING_DESCRIPTIONS.map(({ group }) => group))];
const LINE_WIDTH = 100;

/** What `.env.example` must contain. */
export function renderEnvExample(): string {
  const header = [
    '# All settings of tiktok-publisher, with their defaults. Nothing has to be set for a first try.',
    '# An empty value counts as not set. docs/configuration.md tells more.',
  ];
  const sections = groups.map((group) => {
    const entries = SETTING_DESCRIPTIONS.filter((setting) => setting.group === group).map((setting) => {
      const comment = plain(setting.unset ? `${setting.meaning} Not set: ${setting.unset}.` : setting.meaning);
      return [...wrap(comment, '# '), `# ${setting.variable}=${quoted(setting.fallback ?? '')}`].join('\n');
    });
    return [`# --- ${group} ---`, ...entries].join('\n\n');
  });
  return `${[header.join('\n'), ...sections].join('\n\n')}\n`;
}

/** What docs/configuration.md must contain between its two markers. */
export function renderSettingsTables(): string {
  return groups
    .map((group) => {
      const rows = SETTING_DESCRIPTIONS.filter((setting) => setting.group === group).map(
        ({ variable, fallback, unset, meaning, secret }) =>
          `| \`${variable}\`${secret ? ' (secret)' : ''} | ${fallback ? `\`${fallback}\`` : unset} | ${meaning} |`,
      );
      return [`### ${group}`, '', '| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
    })
    .join('\n\n');
}

function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}

function quoted(value: string): string {
  return /^[\w./:-]*$/.test(value) ? value : `"${value}"`;
}

function wrap(text: string, prefix: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < LINE_WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${prefix}${word}`);
  }
  return lines;
}
