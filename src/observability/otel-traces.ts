import { type Attributes, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { Telemetry } from 'bullmq';
import { BullMQOtel } from 'bullmq-otel';
import { orLate } from '../core/deadline.ts';
import { codeOf } from '../core/system-error.ts';
import type { NoteFacts, SpanFacts, Tracing } from '../core/tracing.ts';
import { SECOND_MS } from '../core/units.ts';

export interface TracingConfig {
  /** Takes OTLP over HTTP, as JSON. */
  readonly url: string;
  readonly serviceName: string;
  /** Sent along, such as a collector's API key. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Traces of a process on their way to a collector. */
export interface Traces {
  readonly tracing: Tracing;
  /** Carries the trace of a job over BullMQ's queues. */
  readonly telemetry: Telemetry;
  /** Sends what is left, for two seconds at most. */
  close(): Promise<void>;
}

const TRACER = 'tiktok-publisher';
/**
 * Longest text of a span. BullMQ's bridge notes the name and the id of each entry, as long as their client made them, and
 * thousands of spans wait in memory for a collector that is slow.
 */
const MAX_FACT_CHARS = 1_000;
const EXPORT_TIMEOUT_MS = 5 * SECOND_MS;
/** A collector that went away must not hold up the end of a process. */
const LAST_EXPORT_MS = 2 * SECOND_MS;

/** Loaded only where traces are wanted. Spans are sent in batches, and dropped when nobody takes them. */
export function openTraces({ url, serviceName, headers }: TracingConfig): Traces {
  const exporter = new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: EXPORT_TIMEOUT_MS });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
    spanLimits: { attributeValueLengthLimit: MAX_FACT_CHARS },
  });
  // BullMQ's bridge and the spans below find each other through the process-wide context.
  provider.register();
  return {
    tracing: otelTracing(),
    telemetry: new BullMQOtel({ tracerName: TRACER }),
    async close() {
      const exported = provider.shutdown().catch(() => undefined);
      await orLate(exported, { withinMs: LAST_EXPORT_MS, late: () => undefined });
    },
  };
}

function otelTracing(): Tracing {
  const tracer = trace.getTracer(TRACER);
  return {
    async span({ name, kind, facts = {} }, run) {
      const options = { kind: kind === 'call' ? SpanKind.CLIENT : SpanKind.INTERNAL, attributes: attributesOf(facts) };
      return await tracer.startActiveSpan(name, options, async (span) => await finish(span, run));
    },
  };
}

async function finish<T>(span: Span, run: (note: NoteFacts) => Promise<T>): Promise<T> {
  try {
    return await run((facts) => span.setAttributes(attributesOf(facts)));
  } catch (error) {
    // Not its message or stack: the code says what happened, and a trace is no place for texts of others.
    // None: it only ended the step early, as the wait for a reserved call does.
    const code = codeOf(error);
    if (code === undefined) span.setAttribute('interrupted', true);
    else span.setStatus({ code: SpanStatusCode.ERROR, message: code });
    throw error;
  } finally {
    span.end();
  }
}

function attributesOf(facts: SpanFacts): Attributes {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}
