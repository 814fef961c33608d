import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const read = (path: string) => readFileSync(new URL(`../../deploy/${path}`, import.meta.url), 'utf8');

const dashboardFile = z.object({
  uid: z.string(),
  panels: z.array(
    z.looseObject({
      id: z.number(),
      title: z.string(),
      type: z.string(),
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: z.array(z.looseObject({ expr: z.string(), legendFormat: z.string() })).default([]),
    }),
  ),
});
const alertsFile = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.looseObject({
          alert: z.string(),
          expr: z.string(),
          labels: z.object({ severity: z.string() }),
          annotations: z.object({ summary: z.string(), runbook_url: z.url() }),
        }),
      ),
    }),
  ),
});

/** The Grafana dashboard that we ship. */
export const dashboard = dashboardFile.parse(JSON.parse(read('grafana/tiktok-publisher.json')));

/** The alerts that we ship. */
export const alerts = alertsFile.parse(parse(read('prometheus/alerts.yml'))).groups.flatMap(({ rules }) => rules);

/** Each panel's queries as Grafana would send them, with this for its rate interval. */
export function panelQueries(rateInterval: string): { panel: string; expr: string }[] {
  return dashboard.panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({ panel: title, expr: expr.replaceAll('$__rate_interval', rateInterval) })),
  );
}
