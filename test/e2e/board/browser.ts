import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Page } from 'playwright-core';

/** Signs in on the page where strangers do, and goes on to an address of the site, which may be below a path. */
export async function signInOn(
  page: Page,
  url: string,
  login: { user: string; password: string } | { key: string },
  site = new URL(url).origin,
) {
  await page.goto(`${site}/sign-in?${new URLSearchParams({ next: url.slice(site.length) })}`);
  if ('key' in login) {
    await page.getByLabel('API key').fill(login.key);
    await page.getByRole('button', { name: 'Sign in with the key' }).click();
    return;
  }
  await page.getByLabel('User').fill(login.user);
  await page.getByLabel('Password').fill(login.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** Where a Chromium is on this machine; undefined where there is none. */
export function findChromium(path = process.env.PATH ?? ''): string | undefined {
  return path
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find(isProgram);
}

/** For a machine without screen, sandbox and network. */
export const CHROMIUM_ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
