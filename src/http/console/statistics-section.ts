import {
  outcomesOf,
  STATISTICS_RANGE_NAMES,
  STATISTICS_RANGES,
  type StatisticsRange,
  spreadOf,
  sumStatistics,
  type TimedStatistics,
} from '../../core/publish-statistics.ts';
import { countText, durationText, timeText } from '../../core/quantity-text.ts';
import { HOUR_MS, MINUTE_MS } from '../../core/units.ts';
import { escapeHtml } from '../escape-html.ts';
import { plotHtml } from './plots.ts';

const RANGE_NAMES = { hour: 'Last hour', day: 'Last day', week: 'Last week' } as const;
const DATE_CHARS = '2026-12-01'.length;

/** The range that an address asks for. */
export function rangeIn(query: unknown): StatisticsRange {
  const { range } = Object(query);
  return STATISTICS_RANGE_NAMES.find((each) => each === range) ?? 'hour';
}

/** How publishing went over a range, in numbers and plots. */
export function statisticsHtml(buckets: readonly TimedStatistics[], range: StatisticsRange, homePath: string): string {
  const all = sumStatistics(buckets);
  const { good, bad } = outcomesOf(all);
  const { spanMs, bucketMs } = STATISTICS_RANGES[range];
  const links = STATISTICS_RANGE_NAMES.map((each) => {
    const here = each === range ? ' aria-current="true"' : '';
    return `<a href="${escapeHtml(homePath)}?range=${each}"${here}>${RANGE_NAMES[each]}</a>`;
  });
  const numbers: [string, string][] = [
    ['Publishes ended', `${good + bad} (${perHour(good + bad, spanMs)} an hour)`],
    ['Success rate', good + bad === 0 ? 'none' : `${percent(good / (good + bad))} (${bad} failed)`],
    ['Time to publish', spreadText(all.took)],
    ['Lateness of scheduled posts', spreadText(all.late)],
  ];
  const first = buckets[0]?.at ?? 0;
  const start = timeText(new Date(first).toISOString());
  const plot = { from: range === 'week' ? start.slice(0, DATE_CHARS) : start.slice(DATE_CHARS + 1), to: 'now' };
  const durations = (name: 'took' | 'late') =>
    [
      { name: 'p50', look: 'good', values: buckets.map((each) => spreadOf(each[name])?.p50Ms) },
      { name: 'p95', look: 'wait', values: buckets.map((each) => spreadOf(each[name])?.p95Ms) },
    ] as const;
  return `<h2>How it goes</h2>
<p class="actions" role="group" aria-label="Range">${links.join(' ')}</p>
<dl class="numbers">${numbers.map(([name, text]) => `<div><dt>${name}</dt><dd>${text}</dd></div>`).join('')}</dl>
<div class="plots">
${plotHtml({
  ...{
    title: 'Publishes ended',
    kind: 'bars',
    ...plot,
    inWords: (count) => countText(count, 'publish job'),
  },
  series: [
    { name: 'succeeded', look: 'good', values: buckets.map((each) => outcomesOf(each).good) },
    { name: 'failed', look: 'bad', values: buckets.map((each) => outcomesOf(each).bad) },
  ],
})}
${plotHtml({ title: 'Time to publish', kind: 'lines', ...plot, inWords: durationText, series: durations('took') })}
${all.late.every((count) => count === 0) ? '' : plotHtml({ title: 'Lateness', kind: 'lines', ...plot, inWords: durationText, series: durations('late') })}
</div>
<p class="note">In steps of ${stepText(bucketMs)}, in UTC. Durations are of successes, from buckets, so these are about right: half took p50 or less, 95 % took p95 or less. Cancelled publishes are not counted.</p>`;
}

function spreadText(histogram: readonly number[]): string {
  const spread = spreadOf(histogram);
  return spread === null ? 'none' : `${durationText(spread.p50Ms)} (p95 ${durationText(spread.p95Ms)})`;
}

function perHour(count: number, spanMs: number): string {
  const rate = (count * HOUR_MS) / spanMs;
  return rate >= 10 || Number.isInteger(rate) ? rate.toFixed(0) : rate.toFixed(1);
}

function percent(share: number): string {
  return `${(Math.floor(share * 1_000) / 10).toFixed(1)} %`;
}

function stepText(bucketMs: number): string {
  return bucketMs < HOUR_MS ? countText(bucketMs / MINUTE_MS, 'minute') : countText(bucketMs / HOUR_MS, 'hour');
}
