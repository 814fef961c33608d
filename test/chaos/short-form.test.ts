import { expect, inject, it } from 'vitest';
import { runChaos } from './chaos-run.ts';
import { RAPID_RECOVERY } from './stage.ts';

const ROUNDS = 4;

it('posts nothing twice and loses nothing in a short form of the chaos', async () => {
  const seed = Date.now() % 1_000_000;
  const lines: string[] = [`seed ${seed}`];
  const report = (line: string): void => void lines.push(line);
  const programs = inject('chaosPrograms');
  const summary = await runChaos({
    ...{ programs, seed, rounds: ROUNDS, from: 0, lanes: 2, recovery: RAPID_RECOVERY, report },
  });
  const { duplicates, losses, wrongStates, wrongBytes, unexplainedEnds } = summary;
  expect({ duplicates, losses, wrongStates, wrongBytes, unexplainedEnds }, lines.join('\n')).toEqual({
    ...{ duplicates: 0, losses: 0, wrongStates: 0, wrongBytes: 0, unexplainedEnds: 0 },
  });
  expect(summary.jobs).toBe(ROUNDS * 6);
  expect(summary.kills).toBeGreaterThan(0);
});
