import { expect, it } from 'vitest';
import { loadedModules } from './loaded-modules.ts';

it("loads none of OpenTelemetry's code where nobody wants traces", { timeout: 180_000 }, async () => {
  const { files, packages } = await loadedModules('cli/commands/server.ts');
  expect(files).toContain('app/open-app');
  expect(files).not.toContain('observability/otel-traces');
  expect(packages).toContain('bullmq');
  // prom-client looks for a trace to name in its exemplars; the API without an SDK does nothing.
  expect(packages.filter((name) => /otel|opentelemetry/.test(name))).toEqual(['@opentelemetry/api']);
});
