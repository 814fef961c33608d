const LEAST_TEXT_COLUMNS = 20;
/** A label, or several, as in `WRONG  redis     message`; or the dash of a list. */
const LABELS = /^(?:\s*- |\s*(?:\S+(?: \S+)? {2,}){0,2})/;

/**
 * Breaks long lines between words, so that a terminal does not break them within one. What follows labels stays in
 * its column. Lines without spaces, such as URLs, stay whole.
 * @param columns of the terminal; undefined where there is none, and nothing is changed
 */
export function wrapText(text: string, columns: number | undefined): string {
  if (columns === undefined) return text;
  return text
    .split('\n')
    .flatMap((line) => wrapLine(line, columns))
    .join('\n');
}

function wrapLine(line: string, columns: number): string[] {
  const labels = LABELS.exec(line)?.[0] ?? '';
  const indent = columns - labels.length < LEAST_TEXT_COLUMNS ? '  ' : ' '.repeat(labels.length);
  const lines: string[] = [];
  let current = labels;
  let isEmpty = true;
  for (const word of line.slice(labels.length).split(' ')) {
    if (!isEmpty && current.length + 1 + word.length > columns) {
      lines.push(current);
      current = indent;
      isEmpty = true;
    }
    current += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, current];
}
