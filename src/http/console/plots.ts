import { escapeHtml } from '../escape-html.ts';

/** Values over time, one for each bucket. */
interface Series {
  readonly name: string;
  /** A colour of the console: `good`, `bad` or `wait`. */
  readonly look: 'good' | 'bad' | 'wait';
  /** Undefined: there is none for this bucket. */
  readonly values: readonly (number | undefined)[];
}

interface Plot {
  readonly title: string;
  readonly kind: 'bars' | 'lines';
  readonly series: readonly Series[];
  /** A value in words, such as `4 min`. */
  readonly inWords: (value: number) => string;
  /** What the two ends of the time axis are called. */
  readonly from: string;
  readonly to: string;
}

const HEIGHT = 100;

/**
 * A plot as SVG without text, which is stretched to the width there is; its words stand around it. Bars are stacked.
 * Screen readers get the last and the greatest value of each series.
 */
export function plotHtml({ title, kind, series, inWords, from, to }: Plot): string {
  const length = Math.max(1, ...series.map(({ values }) => values.length));
  const known = series.flatMap(({ values }) => values.filter((value) => value !== undefined));
  const stacks = Array.from({ length }, (_, at) => series.reduce((sum, { values }) => sum + (values[at] ?? 0), 0));
  const top = Math.max(0, ...(kind === 'bars' ? stacks : known));
  const heightOf = (value: number) => (top === 0 ? 0 : (value / top) * HEIGHT);
  const shapes = kind === 'bars' ? barsOf(series, heightOf) : series.map((each) => lineOf(each, heightOf));
  const spoken = series.map(({ name, values }) => `${name}: ${spokenOf(values, inWords)}`).join('; ');
  const legend = series.map(({ name, look }) => `<span class="${look}">■ ${name}</span>`).join(' ');
  return `<figure class="plot"><figcaption><b>${title}</b> ${legend}</figcaption>
<small>${top === 0 ? 'none' : `up to ${inWords(top)}`}</small>
<svg role="img" aria-label="${escapeHtml(`${title}. ${spoken}`)}" viewBox="0 0 ${length} ${HEIGHT}" preserveAspectRatio="none">${shapes.join('')}</svg>
<small class="ends"><span>${from}</span><span>${to}</span></small></figure>`;
}

function barsOf(series: readonly Series[], heightOf: (value: number) => number): string[] {
  const reached: number[] = [];
  return series.flatMap(({ look, values }) =>
    values.flatMap((value = 0, at) => {
      if (value === 0) return [];
      const height = heightOf(value);
      const bottom = reached[at] ?? 0;
      reached[at] = bottom + height;
      return [
        `<rect class="${look}" x="${at + 0.1}" y="${round(HEIGHT - bottom - height)}" width=".8" height="${round(height)}"/>`,
      ];
    }),
  );
}

/** A line with gaps where there is no value; a value alone is a dash. */
function lineOf({ look, values }: Series, heightOf: (value: number) => number): string {
  let isDrawn = false;
  const steps = values.map((value, at) => {
    if (value === undefined) {
      isDrawn = false;
      return '';
    }
    const y = round(HEIGHT - heightOf(value));
    const start = isDrawn ? `L${at} ${y}` : `M${at} ${y}`;
    isDrawn = true;
    return `${start}h1`;
  });
  return `<path class="${look}" d="${steps.join('')}" fill="none"/>`;
}

function spokenOf(values: readonly (number | undefined)[], inWords: (value: number) => string): string {
  const known = values.filter((value) => value !== undefined);
  const last = known.at(-1);
  return last === undefined ? 'none' : `last ${inWords(last)}, at most ${inWords(Math.max(...known))}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
