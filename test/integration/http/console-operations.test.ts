import { afterAll, beforeAll, expect, it } from 'vitest';
import { HOUR_MS } from '../../../src/core/units.ts';
import type { WebServer } from '../../../src/http/start-server.ts';
import { OPERATOR, signedInAs, startBoardSite, VIEWER } from '../../support/board-site.ts';
import { eventually } from '../../support/eventually.ts';
import { type Pipeline, startPipeline } from '../../support/pipeline.ts';
import { directPost } from '../../support/plain-entries.ts';

const operator = { ...signedInAs(OPERATOR), accept: 'text/html' };
const viewer = { ...signedInAs(VIEWER), accept: 'text/html' };

let pipeline: Pipeline;
let site: WebServer;
beforeAll(async () => {
  pipeline = await startPipeline();
  site = await startBoardSite(pipeline);
});
afterAll(async () => {
  await site?.close();
  await pipeline?.close();
});

async function get(path: string, headers: Record<string, string> = operator) {
  const answer = await fetch(`${site.url}${path}`, { headers });
  return { status: answer.status, html: await answer.text() };
}

async function act(path: string, form: Record<string, string> = {}, headers: Record<string, string> = operator) {
  const answer = await fetch(`${site.url}${path}`, {
    ...{ method: 'POST', redirect: 'manual', headers: { origin: site.url, ...headers } },
    body: new URLSearchParams(form),
  });
  return { status: answer.status, location: answer.headers.get('location') ?? '', html: await answer.text() };
}

/** The hidden fields of the form that goes to a path. */
function fieldsOf(html: string, action: string): Record<string, string> {
  const form = html.slice(html.indexOf(`action="${action}"`));
  const fields = form.slice(0, form.indexOf('</form>')).matchAll(/name="([^"]+)" value="([^"]*)"/g);
  return Object.fromEntries([...fields].map(([, name, value]) => [name, value]));
}

async function failedJobs(campaign: string, count: number): Promise<string[]> {
  const media = { type: 'file', path: '/no/such/video.mp4' } as const;
  const request = { ...directPost(''), media, metadata: { campaign } };
  const jobs = await pipeline.publisher.enqueueBulk(Array.from({ length: count }, () => request));
  for (const { id } of jobs) expect((await pipeline.publisher.waitForCompletion(id)).state).toBe('failed');
  return jobs.map(({ id }) => id);
}

it('all that a search finds is retried: the dry run first, then a page with the progress', async () => {
  const [first = ''] = await failedJobs('spring', 3);
  const found = await get('/publishes?metadata.campaign=spring&order=newest&account=');
  expect(fieldsOf(found.html, '/operations/new')).toEqual({ 'metadata.campaign': 'spring', kind: 'reschedule' });

  const preview = await get('/operations/new?metadata.campaign=spring&kind=retry');
  expect(preview.status).toBe(200);
  expect(preview.html).toContain('Nothing has been changed yet. This would happen to 3 publish jobs:');
  expect(preview.html).toContain('<b>3</b> start again (TikTok has published nothing of it)');
  expect(preview.html).toContain(`<a href="/publishes/${first}">`);
  expect(preview.html).toContain('<button>Retry 3 publish jobs</button>');
  expect((await pipeline.publisher.get(first))?.timeline.some(({ event }) => event === 'retry_requested')).toBe(false);

  const form = fieldsOf(preview.html, '/operations');
  expect(form).toEqual({ 'metadata.campaign': 'spring', kind: 'retry' });
  const started = await act('/operations', { ...form, ratePerSecond: '50' });
  expect(started).toMatchObject({
    status: 303,
    location: expect.stringMatching(/^\/operations\/[\w-]+\?done=started$/),
  });
  expect((await get(started.location)).html).toContain('The operation runs.');
  const path = started.location.replace('?done=started', '');
  const done = await eventually(async () => {
    const { html } = await get(path);
    expect(html).toContain('>done</span> 3 of 3 publish jobs dealt with.');
    return html;
  });
  expect(done).toContain('<b>3</b> start again (TikTok has published nothing of it)');
  expect(done).not.toContain('Abort');
  expect((await get('/operations')).html).toContain(`<a href="${path}">Retry</a>`);
  expect((await pipeline.publisher.get(first))?.timeline).toContainEqual(
    expect.objectContaining({ event: 'retry_requested', by: `board ${OPERATOR.user}` }),
  );
});

it('an operation is aborted on its page', async () => {
  await failedJobs('summer', 6);
  const { location } = await act('/operations', { kind: 'retry', 'metadata.campaign': 'summer', ratePerSecond: '1' });
  const path = location.replace('?done=started', '');
  expect((await get(path)).html).toContain(`action="${path}/abort"`);
  const aborted = await act(`${path}/abort`);
  expect(aborted.location).toBe(`${path}?done=aborted`);
  const { html } = await get(aborted.location);
  expect(html).toContain('>aborted</span>');
  expect(html).toContain(`<td>Aborted by</td><td>board ${OPERATOR.user}</td>`);
});

it('a reschedule asks for the time first', async () => {
  const scheduledAt = new Date(Date.now() + HOUR_MS).toISOString();
  await pipeline.publisher.enqueue({ ...directPost('/v.mp4'), metadata: { campaign: 'autumn' }, scheduledAt });
  const asked = await get('/operations/new?kind=reschedule&metadata.campaign=autumn&state=scheduled');
  expect(asked.html).toContain('name="shiftMinutes"');
  const query = new URLSearchParams({
    ...fieldsOf(asked.html, '/operations/new'),
    scheduledAt: '',
    shiftMinutes: '90',
  });
  const preview = await get(`/operations/new?${query}`);
  expect(preview.html).toContain('<b>1</b> get the new time');
  expect(preview.html).toContain('>state scheduled, metadata.campaign autumn</a>');
  expect(preview.html).toContain('<td>Later by</td>');
  expect(fieldsOf(preview.html, '/operations')).toMatchObject({ kind: 'reschedule', shiftMinutes: '90' });
});

it('what is wrong with an operation is said, and it is not started', async () => {
  for (const [query, words] of [
    ['kind=retry', 'filter'],
    ['kind=destroy&state=failed', 'kind'],
    ['kind=retry&state=broken', 'state'],
    ['kind=retry&metadata.colour=red', 'METADATA_INDEX'],
    ['kind=reschedule&state=scheduled&shiftMinutes=much', 'shiftMs'],
  ]) {
    const { status, html } = await get(`/operations/new?${query}`);
    expect([query, status, html]).toEqual([query, 400, expect.stringContaining(words ?? '')]);
    const started = await act('/operations', Object.fromEntries(new URLSearchParams(query)));
    expect([query, started.status]).toEqual([query, 400]);
  }
});

it('a viewer sees operations and has no way to start one', async () => {
  const { html } = await get('/publishes?state=failed', viewer);
  expect(html).not.toContain('/operations/new');
  expect((await get('/operations', viewer)).status).toBe(200);
  expect((await get('/operations/new?kind=retry&state=failed', viewer)).status).toBe(403);
  expect((await act('/operations', { kind: 'retry', state: 'failed' }, viewer)).status).toBe(403);
});
