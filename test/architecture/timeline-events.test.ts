import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { END_EVENTS } from '../../src/core/publish-event.ts';
import { ALL_TIMELINE_EVENTS, factNames, TIMELINE_EVENTS, type TimelineFact } from '../../src/core/timeline-events.ts';
import { jobSchema } from '../../src/http/v1/job-schema.ts';
import { readRepositoryFile, sourceFiles } from './source-files.ts';

/** The code that says what happened to a job. */
const emitting = sourceFiles('src').filter(({ path }) =>
  /^src\/(workers|producers|ledger|app|tiktok-webhooks)\//.test(path),
);

/** What is written literally, and the outcomes, which are named by the state that they end in. */
function emittedEvents(): ReadonlySet<string> {
  const literal = emitting.flatMap(({ code }) =>
    [...code.matchAll(/(?:\bevent: |#noteLastChunk\()([^,}]*)/g)].flatMap(([, expression = '']) =>
      [...expression.matchAll(/'(\w+)'/g)].map(([, event = '']) => event),
    ),
  );
  const outcomes = emitting.some(({ code }) => /cause: \{\s*event: to,/.test(code)) ? Object.keys(END_EVENTS) : [];
  return new Set([...literal, ...outcomes]);
}

describe('the events of a timeline', () => {
  it('are told in docs/timeline.md with their facts and meaning as the code has them', () => {
    const rows = [...readRepositoryFile('docs/timeline.md').matchAll(/^\| `(\w+)` \| (.*?) \| (.*) \|$/gm)];
    expect(rows.map(([, event, facts, meaning]) => [event, facts, meaning])).toEqual(
      ALL_TIMELINE_EVENTS.map((event) => {
        const facts = factNames(event).map((name) => `\`${name}\``);
        return [event, facts.join(', ') || '–', TIMELINE_EVENTS[event].meaning];
      }),
    );
  });

  it('are the same in the OpenAPI document', () => {
    const { $defs } = z.toJSONSchema(jobSchema, { io: 'output', unrepresentable: 'any' });
    const described = JSON.stringify($defs?.TimelineEntry);
    const told = [...described.matchAll(/`(\w+)`(?: \([^)]*\))?: /g)].map(([, event]) => event);
    expect(told).toEqual(ALL_TIMELINE_EVENTS);
  });

  it('are each written somewhere', () => {
    const emitted = emittedEvents();
    expect(ALL_TIMELINE_EVENTS.filter((event) => !emitted.has(event))).toEqual([]);
  });

  it('can be written with their own facts only, or it does not compile', () => {
    const facts: TimelineFact[] = [
      { event: 'init_answered', publishId: 'p' },
      // @ts-expect-error nothing writes it
      { event: 'chunk_accepted' },
      // @ts-expect-error a fact is missing
      { event: 'init_answered' },
      // @ts-expect-error of another type
      { event: 'init_answered', publishId: 1 },
      // @ts-expect-error a fact of another event
      { event: 'due', publishId: 'p' },
    ];
    expect(facts).toHaveLength(5);
  });
});
