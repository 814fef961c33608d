import { untilAborted } from '../../core/deadline.ts';
import { PublishError } from '../../core/publish-error.ts';
import { isErrno } from '../../core/system-error.ts';
import {
  type ConformanceReport,
  conformanceText,
  STAND_ALONE_OPEN_ID,
  startStandAloneSimulator,
} from '../../simulator/index.ts';
import type { CommandContext } from '../cli-io.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { interruptible } from '../interrupt.ts';

export interface SimulatorCommandOptions {
  readonly host: string;
  readonly port: number;
  readonly seed?: number;
  readonly processingMs?: number;
  readonly postsPerDay?: number;
  readonly webhookUrl?: string;
}

type StandAlone = Awaited<ReturnType<typeof startStandAloneSimulator>>;

/** `simulator`: runs until it is stopped. */
export async function simulator(options: SimulatorCommandOptions, { output }: CommandContext): Promise<ExitCode> {
  return await interruptible(async (signal) => {
    const standAlone = await startOnPort(options);
    const { url, clientKey, clientSecret } = standAlone.simulator;
    output.answer({ url, clientKey, clientSecret, account: standAlone.account }, howToUse(standAlone));
    await untilAborted(signal);
    await standAlone.simulator.close();
    return EXIT_CODES.success;
  });
}

async function startOnPort({ webhookUrl, postsPerDay, ...options }: SimulatorCommandOptions): Promise<StandAlone> {
  const webhooks = webhookUrl === undefined ? {} : { webhooks: { url: webhookUrl } };
  try {
    const limits = postsPerDay === undefined ? {} : { limits: { postsPerDay } };
    return await startStandAloneSimulator({ ...options, ...limits, ...webhooks });
  } catch (error) {
    if (!isErrno(error, 'EADDRINUSE')) throw error;
    const reason = `port ${options.port} of ${options.host} is in use by another program`;
    throw new PublishError('CONFIG_PORT_TAKEN', { reason }, { cause: error });
  }
}

function howToUse({ simulator: { url, clientKey, clientSecret }, account }: StandAlone): string {
  const { accessToken, expiresIn, refreshToken, refreshExpiresIn, scope } = account;
  const tokens = JSON.stringify({ accessToken, expiresIn, refreshToken, refreshExpiresIn, scope });
  return `Simulated TikTok at ${url} (journal: ${url}/__simulator). Press Ctrl-C to stop.
Which of TikTok's rules a client breaks: tiktok-publisher conformance ${url}

To publish to it, run in another terminal:

export TIKTOK_API_BASE_URL=${url}
export TIKTOK_CLIENT_KEY=${clientKey} TIKTOK_CLIENT_SECRET=${clientSecret}
echo '${tokens}' \\
  | tiktok-publisher accounts add simulated --open-id ${STAND_ALONE_OPEN_ID}
tiktok-publisher start`;
}

const TIMEOUT_MS = 30_000;

/** `conformance`: what a running simulator saw of its client; broken rules make the command fail, as a test does. */
export async function conformance(simulatorUrl: string, { output }: CommandContext): Promise<ExitCode> {
  const report = await fetchReport(simulatorUrl);
  if (report === undefined) {
    output.fail(`error: no simulator answers at ${simulatorUrl}\n  Give the address that \`simulator\` printed.`);
    return EXIT_CODES.unavailable;
  }
  output.answerProse(report, conformanceText(report));
  return report.brokenCount > 0 ? EXIT_CODES.publishFailed : EXIT_CODES.success;
}

async function fetchReport(simulatorUrl: string): Promise<ConformanceReport | undefined> {
  const base = simulatorUrl.includes('://') ? simulatorUrl : `http://${simulatorUrl}`;
  if (!URL.canParse(base)) return undefined;
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(new URL('/__simulator/conformance', base), { signal });
    return response.ok ? ((await response.json()) as ConformanceReport) : undefined;
  } catch {
    return undefined;
  }
}
