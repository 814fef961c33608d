import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { eventually } from './eventually.ts';

const FOLDERS = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** A real nginx of a test on a port of 127.0.0.1, with these locations. */
export async function startNginx(program: string, port: number, locations: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tiktok-publisher-nginx-'));
  const temporary = FOLDERS.map((name) => `  ${name}_temp_path ${folder}/${name};`);
  await Promise.all(FOLDERS.map((name) => mkdir(join(folder, name))));
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off;
pid ${folder}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
${temporary.join('\n')}
  server {
    listen 127.0.0.1:${port};
    ${locations}
  }
}
`,
  );
  const args = ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'];
  const nginx = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  nginx.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(nginx, 'close');
  onTestFinished(async () => {
    nginx.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => {
    if (nginx.exitCode !== null) throw new Error(`nginx ended: ${said}`);
    await fetch(url);
  });
  return url;
}
