import { type App, openApp } from '../../app/open-app.ts';
import { clientOn } from '../../app/open-client.ts';
import { openQueues, storedParts } from '../../app/redis-parts.ts';
import { ConfigError } from '../../config/config-error.ts';
import type { Environment } from '../../config/given-settings.ts';
import { type Config, loadConfig } from '../../config/load-config.ts';
import { PublishError } from '../../core/publish-error.ts';
import type { RedisClient } from '../../redis/lua-script.ts';
import { RedisUnavailableError } from '../../redis/redis-unavailable.ts';
import { readServerFacts } from '../../redis/server-facts.ts';
import type { CommandContext } from '../cli-io.ts';
import { accountFindings } from '../doctor/account-findings.ts';
import { callbackFindings } from '../doctor/callback-findings.ts';
import { redisClockFindings } from '../doctor/clock-findings.ts';
import type { CheckName, Finding } from '../doctor/finding.ts';
import { postLive } from '../doctor/live-post.ts';
import type { LiveStep } from '../doctor/live-steps.ts';
import { pullFindings } from '../doctor/pull-findings.ts';
import { pauseFindings, payloadFindings, queueFindings } from '../doctor/queue-findings.ts';
import { accessFindings, diskFindings, ledgerFindings, redisFindings } from '../doctor/redis-findings.ts';
import { replicationFindings } from '../doctor/replication-findings.ts';
import { sealingFindings } from '../doctor/sealing-findings.ts';
import { settingFindings, storageFindings } from '../doctor/setting-findings.ts';
import { factFindings, tiktokFindings } from '../doctor/tiktok-findings.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { commandLineUser, tellWhichRedis } from '../with-client.ts';

export interface DoctorOptions {
  readonly live?: string;
  readonly yes?: boolean;
}

/** `doctor`: 0 if nothing is wrong, otherwise 3. With `--live` also 1 if the post fails, or nobody knows its outcome. */
export async function doctor({ live, yes = false }: DoctorOptions, context: CommandContext): Promise<ExitCode> {
  const { io, output } = context;
  refuseUnasked(live, yes, io);
  const { findings, opened } = await examine(io.env, (app) => tellWhichRedis(app, output));
  try {
    const healthy = findings.every(({ level }) => level !== 'problem');
    const text = findingsText(findings, healthy);
    if (live === undefined || !healthy || opened === undefined) {
      const why = live === undefined ? '' : '\nNothing was posted. Fix the problems first.';
      output.answerProse({ healthy, findings }, text + why);
      return healthy ? EXIT_CODES.success : EXIT_CODES.unavailable;
    }
    output.step(`${text}\n`);
    const onStep = (step: LiveStep) => output.step(liveStepText(step));
    const client = clientOn(opened.app, opened.redis, commandLineUser());
    const { exitCode, ...result } = await postLive({ account: live, yes, onStep }, client, context);
    output.answerProse({ healthy, findings, live: result }, `\n${result.next}`);
    return exitCode;
  } finally {
    await opened?.app.close();
  }
}

/** What was found, and the connection to Redis, which is to be closed; none where Redis cannot be used. */
interface Examined {
  readonly findings: Finding[];
  readonly opened?: { readonly app: App; readonly redis: RedisClient };
}

/** Nothing is posted that nobody has agreed to. */
function refuseUnasked(live: string | undefined, yes: boolean, { stdin }: CommandContext['io']): void {
  const refusal = (path: string, message: string) =>
    new PublishError('INPUT_INVALID', { problems: [{ path, message }] });
  if (live === undefined && yes) throw refusal('--yes', 'only used with --live: add that, or remove it');
  if (live !== undefined && !yes && stdin.isTTY !== true)
    throw refusal('--live', 'posts a video, and there is no terminal to ask on: add --yes to agree');
}

async function examine(env: Environment, onRedis: (app: App) => void): Promise<Examined> {
  let config: Config;
  try {
    config = loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return { findings: refusedSettings(error) };
    throw error;
  }
  const [behindRedis, tiktok, storage, pull] = await Promise.all([
    examineRedis(config, onRedis),
    tiktokFindings(config, Date.now),
    orFinding('storage', () => storageFindings(config)),
    orFinding('pull', () => pullFindings(config)),
  ]);
  return { ...behindRedis, findings: [...behindRedis.findings, ...tiktok, ...storage, ...pull] };
}

async function examineRedis(config: Config, onRedis: (app: App) => void): Promise<Examined> {
  const settings = await orFinding('settings', () => settingFindings(config));
  try {
    const app = await openApp({ ...config, logLevel: 'silent' });
    // Libraries write about Redis to the console; the findings say it too.
    app.logConsole();
    try {
      onRedis(app);
      const redis = await app.connect('producer');
      const parts = storedParts(app, redis, app.clock);
      const { target } = app;
      const behindRedis = [
        ...settings,
        ...(await orFinding('redis', async () => {
          const servers = await readServerFacts(redis);
          return [...redisFindings(servers, target), ...replicationFindings(servers, config)];
        })),
        ...(await orFinding('redis', () => accessFindings(redis, target, config.queuePrefix))),
        ...(config.redis.kind === 'embedded' ? await orFinding('redis', () => diskFindings(config.dataDir)) : []),
        ...(await orFinding('redis', () => ledgerFindings(app, parts))),
        ...(await orFinding('clock', () => redisClockFindings(redis, Date.now))),
        ...(await orFinding('accounts', () => accountFindings(redis, app))),
        ...(await orFinding('settings', () => sealingFindings(redis, app))),
        ...(await orFinding('queues', () => pauseFindings(parts.publishingPause.read))),
        ...(await orFinding('tiktok', () => factFindings(parts.facts.list))),
      ];
      // Last, since BullMQ writes when they are opened, which a replica refuses.
      const queues = openQueues(app, redis, { telemetry: undefined });
      const findings = [
        ...behindRedis,
        ...(await orFinding('queues', () => queueFindings(redis, queues))),
        ...(await orFinding('queues', () => payloadFindings(queues))),
        ...(await orFinding('callbacks', () => callbackFindings(app, { ...parts, queues }))),
      ];
      return { findings, opened: { app, redis } };
    } catch (error) {
      await app.close();
      throw error;
    }
  } catch (error) {
    if (error instanceof PublishError && error.code === 'CONFIG_INVALID') return { findings: refusedSettings(error) };
    if (!(error instanceof RedisUnavailableError)) throw error;
    const { message, advice: fix } = error;
    return { findings: [...settings, { check: 'redis', level: 'problem', message, fix }] };
  }
}

/** One check that can't be made must not hide what the others found. */
async function orFinding(check: CheckName, find: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await find();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [{ check, level: 'problem', message: `check failed to run: ${why}` }];
  }
}

function refusedSettings({ details: { problems = [] } }: PublishError): Finding[] {
  return problems.map(({ path: variable, message }) => ({
    check: 'settings',
    level: 'problem',
    message: `${variable} ${message}`,
    fix: `Correct ${variable}. See .env.example and docs/configuration.md.`,
  }));
}

const MARKS: Readonly<Record<Finding['level'], string>> = { ok: 'ok', advice: 'note', problem: 'fail' };
const MARK_WIDTH = 7;
const CHECK_WIDTH = 10;

/** As wide as `creator_info`. */
const STEP_WIDTH = 14;

function liveStepText({ step, level, message, code, fix, tiktokLogId }: LiveStep): string {
  return labelledLines([MARKS[level], step, STEP_WIDTH], message, { fix, code, 'TikTok log': tiktokLogId });
}

function findingsText(findings: readonly Finding[], isHealthy: boolean): string {
  const lines = findings.map(({ check, level, message, fix }) =>
    labelledLines([MARKS[level], check, CHECK_WIDTH], message, { fix }),
  );
  const problemCount = findings.filter(({ level }) => level === 'problem').length;
  return [...lines, '', isHealthy ? 'All checks passed.' : `Problems found: ${problemCount}.`].join('\n');
}

/** A line with its labels, and below it what else is known. */
function labelledLines(
  [mark, label, labelWidth]: readonly [string, string, number],
  message: string,
  more: Readonly<Record<string, string | undefined>>,
): string {
  const line = (first: string, name: string, text: string) =>
    `${first.padEnd(MARK_WIDTH)}${name.padEnd(labelWidth)}${text}`;
  const known = Object.entries(more).flatMap(([name, text]) => (text === undefined ? [] : [line('', name, text)]));
  return [line(mark, label, message), ...known].join('\n');
}
