import { textTable } from '../src/cli/job-text.ts';
import { figureOf, isMet, median, type Row } from './measure.ts';

const number = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });

/** A table for people: medians with their spread, the ratio, and what it should be. */
export function renderTable(rows: readonly Row[]): string {
  const header = ['what', 'product', 'baseline', 'ratio', 'target', ''];
  const lines = rows.map((row) => [
    row.what,
    withSpread(row.product, row.unit),
    row.baseline === undefined ? '' : `${withSpread(row.baseline.values, row.unit)} (${row.baseline.name})`,
    row.baseline === undefined ? '' : figureOf(row).toFixed(2),
    targetOf(row),
    { true: 'met', false: 'MISSED', undefined: '' }[String(isMet(row))] ?? '',
  ]);
  return textTable([header, ...lines]);
}

function withSpread(values: readonly number[], unit: string): string {
  const middle = `${number.format(median(values))} ${unit}`;
  if (values.length === 1) return middle;
  return `${middle} [${number.format(Math.min(...values))}–${number.format(Math.max(...values))}]`;
}

function targetOf({ target }: Row): string {
  if (target === undefined) return '';
  return 'atMost' in target ? `≤ ${target.atMost}` : `≥ ${target.atLeast}`;
}

/** Machine, versions and commit beside the rows, for a file that is compared later. */
export interface Report {
  readonly at: string;
  readonly commit: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly rows: readonly Row[];
}

/** The ratios of two reports side by side. */
export function renderComparison(before: Report, after: Report): string {
  const ids = [...new Set([...before.rows, ...after.rows].map(({ id }) => id))];
  const of = ({ rows }: Report, id: string) => rows.find((row) => row.id === id);
  const lines = ids.map((id) => {
    const [a, b] = [of(before, id), of(after, id)];
    const figures = [a, b].map((row) => (row === undefined ? '-' : number.format(figureOf(row))));
    const change = a && b ? `${Math.round((figureOf(b) / figureOf(a) - 1) * 100)} %` : '';
    return [a?.what ?? b?.what ?? id, ...figures, change];
  });
  return textTable([['what', before.commit, after.commit, 'change'], ...lines]);
}
