import type { Telemetry } from 'bullmq';

/**
 * The same, but an entry whose trace no one can read begins one of its own: BullMQ reads it outside of all that ends an
 * entry with its reason, and its worker would stop.
 */
export function withReadableTraces(telemetry: Telemetry): Telemetry {
  const { contextManager } = telemetry;
  const fromMetadata: typeof contextManager.fromMetadata = (context, metadata) => {
    try {
      return contextManager.fromMetadata(context, metadata);
    } catch {
      return context;
    }
  };
  return Object.create(telemetry, {
    contextManager: { value: Object.create(contextManager, { fromMetadata: { value: fromMetadata } }) },
  });
}
