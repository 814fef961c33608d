import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { renderEnvExample, renderSettingsTables } from '../../support/settings-docs.ts';

const REPOSITORY = new URL('../../../', import.meta.url).pathname;
const SECTION = /(<!-- settings: begin[^>]*-->\n)[\s\S]*(<!-- settings: end -->)/;

it('lists every setting with its default in .env.example', async () => {
  await expect(renderEnvExample()).toMatchFileSnapshot(`${REPOSITORY}.env.example`);
});

it('describes every setting in docs/configuration.md', async () => {
  const path = `${REPOSITORY}docs/configuration.md`;
  const page = await readFile(path, 'utf8');
  expect(page).toMatch(SECTION);
  const current = page.replace(SECTION, (_, begin: string, end: string) => {
    return `${begin}\n${renderSettingsTables()}\n\n${end}`;
  });
  await expect(current).toMatchFileSnapshot(path);
});
