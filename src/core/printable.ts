/**
 * What a terminal or a reader would obey instead of showing it: control characters (C0 with the escape, DEL, C1) except line
 * breaks and tabs, the separators of lines and paragraphs, and marks that turn the direction of text.
 */
const OBEYED = /(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** A text that is safe to print: what would be obeyed is shown by its code, such as `\x1b` or `\u202e`. */
export function printable(text: string): string {
  return text.replace(OBEYED, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`;
  });
}

/** JSON that is safe to print, with the same values: only in texts is there anything that would be obeyed. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(
    OBEYED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A text of others on one line, since it must not begin lines of its own among ours. */
export function withoutLineBreaks(text: string): string {
  return text.split(/[\r\n\u2028\u2029]+/).join(' ');
}
