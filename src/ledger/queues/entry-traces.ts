import type { Telemetry } from 'bullmq';

/**
 * BullMQ's option that carries traces over the queues; none where none are wanted. An entry whose trace no one can read
 * begins one of its own: BullMQ reads it outside of all that ends an entry with its reason, and its worker would stop.
 */
export function readableTraces(telemetry: Telemetry | undefined): { readonly telemetry?: Telemetry } {
  if (telemetry === undefined) return {};
  const { tracer, meter, contextManager: given } = telemetry;
  const contextManager: Telemetry['contextManager'] = {
    with: (context, run) => given.with(context, run),
    active: () => given.active(),
    ...(given.root !== undefined && { root: () => given.root?.() }),
    getMetadata: (context) => given.getMetadata(context),
    fromMetadata(context, metadata) {
      try {
        return given.fromMetadata(context, metadata);
      } catch {
        return context;
      }
    },
  };
  return { telemetry: { tracer, ...(meter !== undefined && { meter }), contextManager } };
}
