/*
 * Makes the videos of test/fixtures/media after its recipes.json: good ones of every kind, and one for each way to be
 * wrong. Needs ffmpeg; the results are kept, so run it only to change them: node scripts/make-media.mjs [name…]
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';

const folder = new URL('../test/fixtures/media/', import.meta.url);
const recipes = JSON.parse(readFileSync(new URL('recipes.json', folder), 'utf8'));
const wanted = process.argv.slice(2);
/** The same bytes from the same ffmpeg, so that a second run changes nothing. */
const REPRODUCIBLE = ['-map_metadata', '-1', '-fflags', '+bitexact', '-flags:v', '+bitexact', '-flags:a', '+bitexact'];

for (const [name, recipe] of Object.entries(recipes)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const path = new URL(name, folder);
  if (recipe.output === undefined) writeFileSync(path, contentOf(recipe));
  else encode(path.pathname, recipe);
  process.stdout.write(`${name}: ${statSync(path).size} bytes\n`);
}

function encode(path, { input = [], from, output }) {
  const inputs = input.flatMap((source) => ['-f', 'lavfi', '-i', source]);
  if (from !== undefined) inputs.push('-i', new URL(from, folder).pathname);
  const pixels = output.includes('-c:v') ? ['-pix_fmt', 'yuv420p'] : [];
  const args = ['-v', 'error', '-y', '-threads', '1', ...inputs, ...pixels, ...REPRODUCIBLE, ...output, path];
  execFileSync('ffmpeg', args, { stdio: 'inherit' });
}

function contentOf({ from, keepShare, without, text, base64 }) {
  if (text !== undefined) return text;
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  const whole = readFileSync(new URL(from, folder));
  return without === undefined ? whole.subarray(0, Math.floor(whole.length * keepShare)) : withoutBox(whole, without);
}

/** An ISO file without its top-level box of a type. */
function withoutBox(bytes, type) {
  const kept = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32BE(at)) {
    if (bytes.toString('latin1', at + 4, at + 8) !== type) kept.push(bytes.subarray(at, at + bytes.readUInt32BE(at)));
  }
  return Buffer.concat(kept);
}
