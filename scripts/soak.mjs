// npm run soak -- [--minutes N] [--seed S]: hours of service in a short time, see test/soak.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { repository, run } from './compile.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
if (!(Number(values.minutes) >= 2)) throw new Error('--minutes: expected a number of minutes from 2');
process.env.SOAK_MINUTES = values.minutes;
process.env.SOAK_SEED = values.seed;
const vitest = join(repository, 'node_modules', 'vitest', 'vitest.mjs');
process.exitCode = await run(vitest, ['run', '--project', 'soak']);
