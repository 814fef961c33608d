import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { PROBLEM_MEDIA_TYPE } from '../problem.ts';

const problemAnswer = z.looseObject({
  description: z.string(),
  content: z.object({ [PROBLEM_MEDIA_TYPE]: z.looseObject({}) }),
});

/** The answers of an operation, with an example at each problem: its status, and the first code of its description. */
export function withProblemExamples(answers: unknown): unknown {
  if (typeof answers !== 'object' || answers === null) return answers;
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => {
      const found = problemAnswer.safeParse(answer);
      if (!found.success) return [status, answer];
      const code = /`([A-Z_]+)`/.exec(found.data.description)?.[1] ?? 'INTERNAL_ERROR';
      const example = {
        ...{ type: 'about:blank', title: STATUS_CODES[status], status: Number(status), code },
        detail: 'What is wrong, and what to do.',
        ...(code === 'INPUT_INVALID' && { problems: [{ path: 'mode', message: 'expected "direct" or "inbox"' }] }),
      };
      return [
        status,
        { ...found.data, content: { [PROBLEM_MEDIA_TYPE]: { ...found.data.content[PROBLEM_MEDIA_TYPE], example } } },
      ];
    }),
  );
}
