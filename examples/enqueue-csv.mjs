// Enqueues the posts of a CSV file: node enqueue-csv.mjs posts.csv [--skip-bad]
// Columns: key, account, file, title, privacy (empty: a draft in the inbox), at (empty: at once).
// Invalid lines are reported by number, and nothing is enqueued, unless --skip-bad skips them.
// The keys make it safe to run twice: a post that is enqueued already is not enqueued again.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'csv-parse/sync';
import { createPublisher } from 'tiktok-publisher';

const { csvFile, skipsBad } = readArguments();
const badLines = new Set();

function readArguments() {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { 'skip-bad': { type: 'boolean' } } });
    const [file] = positionals;
    if (existsSync(file ?? '')) return { csvFile: file, skipsBad: values['skip-bad'] };
    if (file !== undefined) console.error(`there is no ${file}`);
  } catch (error) {
    console.error(error.message);
  }
  console.error('usage: node enqueue-csv.mjs <file.csv> [--skip-bad]');
  process.exit(2);
}

function tellBad(line, message) {
  badLines.add(line);
  console.error(`line ${line}: ${message}`);
}

/** What a row asks for, or undefined when the file itself tells that it is wrong. */
function readRow({ record, info: { lines: line } }, keys) {
  const { key, account, file, title, privacy, at } = record;
  const path = resolve(dirname(csvFile), file ?? '');
  if (!key) return tellBad(line, 'key: is missing, so the post could be enqueued twice');
  if (keys.has(key)) return tellBad(line, `key: ${key} is that of a line before`);
  if (!file || !existsSync(path)) return tellBad(line, `file: there is no ${path}`);
  keys.add(key);
  const post = { ...(title && { title }), ...(privacy && { privacyLevel: privacy }) };
  const mode = privacy ? 'direct' : 'inbox';
  const request = { account, mode, media: { type: 'file', path }, post, ...(at && { scheduledAt: at }) };
  return { line, request, idempotencyKey: key };
}

function readRows() {
  const options = { columns: true, info: true, bom: true, trim: true, skip_empty_lines: true };
  const onSkip = (error) => tellBad(error.lines, error.message);
  const records = parse(readFileSync(csvFile), { ...options, skip_records_with_error: true, on_skip: onSkip });
  const keys = new Set();
  return records.map((record) => readRow(record, keys)).filter((row) => row !== undefined);
}

/** Enqueues all rows or, if a request is not valid, none. Answers the rows that are good and not enqueued yet. */
async function enqueueAll(publisher, rows) {
  try {
    const jobs = await publisher.enqueueBulk(rows.map(({ request, idempotencyKey }) => ({ request, idempotencyKey })));
    for (const [index, { id, state, created }] of jobs.entries()) {
      console.log(`line ${rows[index].line}: ${id} ${created ? state : 'was enqueued before'}`);
    }
    return [];
  } catch (error) {
    if (error.code === 'IDEMPOTENCY_CONFLICT') return await enqueueEach(publisher, rows);
    if (error.code !== 'INPUT_INVALID') throw error;
    for (const { path, message } of error.details.problems) {
      // Of several entries each problem names its own: `[3].post.title`.
      const [, index = 0, field = path] = /^\[(\d+)\]\.(.*)$/.exec(path) ?? [];
      tellBad(rows[index].line, `${field}: ${message}`);
    }
    return rows.filter(({ line }) => !badLines.has(line));
  }
}

/** A key stands for another post already. Only one by one they tell which; the others are enqueued by then. */
async function enqueueEach(publisher, rows) {
  for (const row of rows) {
    if (rows.length > 1) await enqueueAll(publisher, [row]);
    else tellBad(row.line, `key: ${row.idempotencyKey} was used for another post before`);
  }
  return [];
}

const publisher = createPublisher();
try {
  let left = readRows();
  while (left.length > 0 && (badLines.size === 0 || skipsBad)) left = await enqueueAll(publisher, left);
  if (left.length > 0) console.error('Nothing was enqueued. Correct these lines, or leave them out with --skip-bad.');
} catch (error) {
  console.error(error.message, error.advice ?? '');
  process.exitCode = 1;
} finally {
  await publisher.close();
}
if (badLines.size > 0) process.exitCode = 1;
