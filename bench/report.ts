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
  const all = [header, ...lines];
  const widths = header.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  return all
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
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
