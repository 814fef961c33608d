import { z } from 'zod';
import type { SeededRandom } from './random.ts';

/** The endpoints a fault can be aimed at and the journal speaks of. */
export const ENDPOINTS = [
  'creator_info',
  'video_init',
  'inbox_init',
  'content_init',
  'upload',
  'status',
  'cancel',
  'token',
  'revoke',
  'authorize',
] as const;

export type Endpoint = (typeof ENDPOINTS)[number];

const httpStatus = z.int().min(200).max(599);
const headers = z.record(z.string(), z.string());
const ms = z.int().min(0);
const bytes = z.int().min(0);

/** What can go wrong; see docs/simulator.md. */
const faultAct = z.discriminatedUnion('kind', [
  /** Answers this instead of acting; `{request}` in the message stands for what was sent, credentials included. */
  z.strictObject({
    kind: z.literal('status'),
    httpStatus,
    code: z.string().optional(),
    message: z.string().optional(),
    headers: headers.optional(),
  }),
  /** Answers any text instead of acting: HTML of a gateway, half a JSON document; `{request}` as above. */
  z.strictObject({ kind: z.literal('raw'), httpStatus, body: z.string(), headers: headers.optional() }),
  /** Answers 429 instead of acting. */
  z.strictObject({ kind: z.literal('rate_limit'), retryAfterSeconds: z.int().min(0).optional() }),
  /** Breaks the connection without acting. */
  z.strictObject({ kind: z.literal('drop_before') }),
  /** Acts, then breaks the connection: the answer is lost. */
  z.strictObject({ kind: z.literal('drop_after') }),
  /** Breaks the connection once so many bytes of a chunk have come in. */
  z.strictObject({ kind: z.literal('drop_mid_body'), afterBytes: bytes }),
  /** Stops, an upload after so many bytes, and goes on after `ms`, or never. */
  z.strictObject({ kind: z.literal('stall'), ms: ms.optional(), afterBytes: bytes.optional() }),
  /** Acts, and never answers. */
  z.strictObject({ kind: z.literal('stall_after') }),
  /** Acts at once, and answers late. */
  z.strictObject({ kind: z.literal('delay'), ms }),
  /** Reads a chunk slowly. */
  z.strictObject({ kind: z.literal('slow_read'), bytesPerSecond: z.int().min(1) }),
  /** Acts; the publish will end FAILED for this reason. */
  z.strictObject({ kind: z.literal('fail_processing'), failReason: z.string() }),
  /** Acts; the publish will stay in processing until `settle`. */
  z.strictObject({ kind: z.literal('stuck_processing') }),
  /** Acts; the pretended download of a pull stops after so many bytes. */
  z.strictObject({ kind: z.literal('stall_download'), afterBytes: bytes }),
]);

/** Validates a rule that comes in over HTTP. */
export const faultRuleSchema = z
  .strictObject({
    endpoint: z.enum(ENDPOINTS),
    when: z
      .strictObject({
        /** The first matching request the rule acts on, from 1. */
        nth: z.int().min(1).optional(),
        /** How many it acts on. Default 1, or always if there is a probability. */
        times: z.union([z.int().min(1), z.literal('always')]).optional(),
        openId: z.string().optional(),
        publishId: z.string().optional(),
        /** From 0. */
        chunkIndex: z.int().min(0).optional(),
        lastChunk: z.boolean().optional(),
        probability: z.number().min(0).max(1).optional(),
      })
      .optional(),
    act: faultAct,
  })
  .refine(({ endpoint, act }) => actFits(endpoint, act), { message: 'this endpoint does not support this fault' });

export type FaultRule = z.input<typeof faultRuleSchema>;
export type FaultAct = FaultRule['act'];

/** What is known of a request when it arrives. */
export interface FaultSubject
  extends Pick<NonNullable<FaultRule['when']>, 'openId' | 'publishId' | 'chunkIndex' | 'lastChunk'> {
  endpoint: Endpoint;
}

export interface FaultHandle {
  /** Number of the rule, from 1. */
  readonly id: number;
  /** How many requests it has met. */
  readonly fired: number;
  /** Takes the rule back. */
  remove(): void;
}

interface ActiveRule {
  id: number;
  rule: FaultRule;
  matched: number;
  fired: number;
}

/** The scripted faults in force; the first rule that applies acts, later ones do not see the request. */
export class Faults {
  readonly #random: SeededRandom;
  #active: ActiveRule[] = [];
  #lastId = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /**
   * Puts a rule in force.
   * @throws ZodError when the rule is malformed or its endpoint cannot act so.
   */
  add(rule: FaultRule): FaultHandle {
    const active: ActiveRule = { id: ++this.#lastId, rule: faultRuleSchema.parse(rule), matched: 0, fired: 0 };
    this.#active.push(active);
    return {
      id: active.id,
      get fired() {
        return active.fired;
      },
      remove: () => {
        this.#active = this.#active.filter((other) => other !== active);
      },
    };
  }

  clear(): void {
    this.#active = [];
  }

  /** The fault this request meets, if any; counts the request. */
  meet(subject: FaultSubject): FaultAct | undefined {
    for (const active of this.#active) {
      const { endpoint, when = {}, act } = active.rule;
      const { nth = 1, probability, times = probability === undefined ? 1 : 'always', ...wanted } = when;
      if (!matchesFilter(subject, { endpoint, ...wanted })) continue;
      active.matched++;
      if (active.matched < nth || (times !== 'always' && active.fired >= times)) continue;
      if (probability !== undefined && this.#random.next() >= probability) continue;
      active.fired++;
      return act;
    }
    return undefined;
  }
}

/** Whether `subject` has every value that `wanted` names. */
export function matchesFilter<T extends object>(
  subject: T,
  wanted: { readonly [Key in keyof T]?: T[Key] | undefined },
) {
  return Object.entries(wanted).every(([key, value]) => value === undefined || subject[key as keyof T] === value);
}

function actFits(endpoint: Endpoint, act: z.output<typeof faultAct>): boolean {
  const isInit = endpoint === 'video_init' || endpoint === 'inbox_init' || endpoint === 'content_init';
  switch (act.kind) {
    case 'drop_mid_body':
    case 'slow_read':
      return endpoint === 'upload';
    case 'fail_processing':
    case 'stuck_processing':
      return endpoint === 'upload' || isInit;
    case 'stall_download':
      return isInit;
    default:
      return true;
  }
}
