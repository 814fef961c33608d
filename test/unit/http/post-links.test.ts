import { expect, it } from 'vitest';
import { postLinks } from '../../../src/http/console/post-links.ts';

const request = { account: 'acme', mode: 'inbox', media: { type: 'file', path: '/holiday.mp4' } } as const;
const titled = { ...request, post: { title: 'At\nthe <sea>' } };

it('names a post by its title, or by its account and media; an account or a deleted job has no link', async () => {
  const jobs = [
    { id: 'one', request: titled },
    { id: 'two', request },
  ];
  const link = await postLinks(['one', 'two', 'bakery', 'one'], '/base', async (ids) =>
    ids.map((wanted) => jobs.find(({ id }) => id === wanted)),
  );
  expect(['one', 'two', 'bakery'].map(link)).toEqual([
    '<a href="/base/publishes/one">At the &lt;sea&gt;</a>',
    '<a href="/base/publishes/two">acme · inbox · holiday.mp4</a>',
    'bakery',
  ]);
});
