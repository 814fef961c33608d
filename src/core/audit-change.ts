type Side = Readonly<Record<string, unknown>> | null;

/** What a line of the audit trail changed, a text for each value: `state: failed → queued`, `reason: maintenance → none`. */
export function changeTexts(before: Side, after: Side): string[] {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...names].flatMap((name) => {
    const [from, to] = [before?.[name] ?? null, after?.[name] ?? null];
    if (JSON.stringify(from) === JSON.stringify(to)) return [];
    return [`${name}: ${from === null ? '' : `${textOf(from)} → `}${to === null ? 'none' : textOf(to)}`];
  });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
