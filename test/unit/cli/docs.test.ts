import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { EXIT_CODES } from '../../../src/cli/exit-codes.ts';
import { buildProgram } from '../../../src/cli/program.ts';

const documented = readFileSync(new URL('../../../docs/command-line.md', import.meta.url), 'utf8');

/** The rows that the page should have for a command and what is below it. */
function rowsOf(command: Command, prefix = ''): string[] {
  return command.commands.flatMap((sub) => {
    if (sub.commands.length > 0) return rowsOf(sub, `${prefix}${sub.name()} `);
    const args = sub.registeredArguments
      .map((argument) => {
        const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
        return argument.required ? ` <${name}>` : ` [${name}]`;
      })
      .join('');
    const options = sub.options.filter(({ long }) => long !== '--json');
    return [
      `| \`${prefix}${sub.name()}${args}\` | | ${sub.description()} |`,
      ...options.map(({ flags, description }) => `| | \`${flags}\` | ${description} |`),
    ];
  });
}

const program = buildProgram(new Command(), async () => undefined);

function everyCommand(command: Command): Command[] {
  return command.commands.flatMap((sub) => (sub.commands.length > 0 ? everyCommand(sub) : [sub]));
}

describe('docs/command-line.md', () => {
  it('lists every command and option, and nothing else', () => {
    const rows = documented.split('\n').filter((line) => /^\| (`[a-z]|\| `-)/.test(line));
    expect(rows).toEqual(rowsOf(program));
  });

  it('lists every exit code', () => {
    const codes = [...documented.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(codes).toEqual(Object.values(EXIT_CODES));
  });

  it('is right that every command takes --json', () => {
    for (const command of everyCommand(program)) {
      expect(
        command.options.map(({ long }) => long),
        command.name(),
      ).toContain('--json');
    }
  });
});
