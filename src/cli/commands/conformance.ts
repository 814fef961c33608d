import { type ConformanceReport, conformanceText } from '../../simulator/index.ts';
import type { CommandContext } from '../cli-io.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';

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
  if (!URL.canParse(simulatorUrl)) return undefined;
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(new URL('/__simulator/conformance', simulatorUrl), { signal });
    return response.ok ? ((await response.json()) as ConformanceReport) : undefined;
  } catch {
    return undefined;
  }
}
