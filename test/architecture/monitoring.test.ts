import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createMetrics, METRIC_TABLE } from '../../src/observability/metrics.ts';
import { alerts, dashboard, panelQueries } from '../support/monitoring-files.ts';
import { programOnPath } from '../support/program-on-path.ts';
import { anchorsOf } from './anchors.ts';
import { REPOSITORY, readRepositoryFile } from './source-files.ts';

const run = promisify(execFile);
const promtool = programOnPath('promtool');
const RULES = join(REPOSITORY, 'deploy/prometheus');

/** Every name under which Prometheus stores what we serve, and `up`, which is its own. */
async function storedNames(): Promise<Set<string>> {
  const metrics = createMetrics({ defaultMetrics: true });
  const types = [...(await metrics.render()).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  const names = types.flatMap(([, name = '', type]) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map((part) => name + part) : [name],
  );
  return new Set([...names, 'up']);
}

/** Names of metrics in a query: words that begin as metrics do. */
function metricsIn(expr: string): string[] {
  return expr.match(/\b(tiktok|bullmq|nodejs|process)_\w+|\bup\b/g) ?? [];
}

/** Labels that a query asks metrics of ours for or groups them by. */
function labelsIn(expr: string): string[] {
  const matchers = [...expr.matchAll(/(\w+)(?:=~|!=|!~|=)"/g)].map(([, label = '']) => label);
  const groups = [...expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
  return [...matchers, ...groups];
}

const queries = [
  ...panelQueries('5m').map(({ panel, expr }) => ({ from: `panel "${panel}"`, expr })),
  ...alerts.map(({ alert, expr }) => ({ from: alert, expr })),
];

describe('the dashboard and the alerts', () => {
  it('ask for metrics and labels that exist', async () => {
    const stored = await storedNames();
    const labels = new Set<string>([
      ...Object.values(METRIC_TABLE).flatMap((row): readonly string[] => row.labels),
      ...['le', 'job', 'instance'],
    ]);
    const unknown = queries.flatMap(({ from, expr }) => [
      ...metricsIn(expr)
        .filter((name) => !stored.has(name))
        .map((name) => `${from} asks for ${name}`),
      ...labelsIn(expr)
        .filter((label) => !labels.has(label))
        .map((label) => `${from} asks for label ${label}`),
    ]);
    expect(unknown).toEqual([]);
    expect(queries.every(({ expr }) => metricsIn(expr).length > 0)).toBe(true);
  });

  it('leave out no metric of ours on the dashboard', () => {
    const shown = panelQueries('5m').flatMap(({ expr }) => metricsIn(expr));
    const isShown = (name: string) => shown.some((used) => used === name || used === `${name}_bucket`);
    expect(Object.keys(METRIC_TABLE).filter((name) => !isShown(name))).toEqual([]);
  });

  it('put no panel on top of another', () => {
    const covered = new Set<string>();
    const ids = dashboard.panels.map(({ id }) => id);
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(covered.has(`${x} ${y}`), `${title} at ${x} ${y}`).toBe(false);
          covered.add(`${x} ${y}`);
        }
      }
    }
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('are explained alert by alert, and each alert is tested', () => {
    const page = readRepositoryFile('docs/observability.md');
    const explained = [...page.matchAll(/^\| `(TikTok\w+)` \| (\w+) \|/gm)].map(([, name, severity]) => [
      name,
      severity,
    ]);
    expect(explained).toEqual(alerts.map(({ alert, labels }) => [alert, labels.severity]));
    const tests = readRepositoryFile('deploy/prometheus/alerts.test.yml');
    const fired = [...tests.matchAll(/alertname: (\w+)\n\s+exp_alerts:\n/g)].map(([, name]) => name);
    expect(alerts.filter(({ alert }) => !fired.includes(alert)).map(({ alert }) => alert)).toEqual([]);
  });

  it('lead from each alert to a section of docs/operations.md, in the tests of the alerts too', () => {
    const anchors = anchorsOf(readRepositoryFile('docs/operations.md'));
    const tests = readRepositoryFile('deploy/prometheus/alerts.test.yml');
    for (const { alert, annotations } of alerts) {
      const [, anchor = ''] = /\/docs\/operations\.md#(.+)$/.exec(annotations.runbook_url) ?? [];
      expect(anchors, alert).toContain(anchor);
      expect(tests, alert).toMatch(
        new RegExp(`alertname: ${alert}\\n +exp_alerts:\\n(?:.+\\n){2,4} +runbook_url: ${annotations.runbook_url}\\n`),
      );
    }
  });

  it.skipIf(promtool === undefined)('pass their own tests (skipped where promtool is not on the PATH)', async () => {
    const checked = await run(promtool ?? '', ['check', 'rules', join(RULES, 'alerts.yml')]);
    expect(checked.stdout).toContain(`${alerts.length} rules found`);
    const tested = await run(promtool ?? '', ['test', 'rules', join(RULES, 'alerts.test.yml')]);
    expect(tested.stdout).toContain('SUCCESS');
  });
});
