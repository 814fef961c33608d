import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { giveAnswer, type HostileAnswer } from './hostile-answers.ts';
import { type HostilePlan, type HostileReply, REFUSALS, type Twist } from './hostile-replies.ts';

/** Part of every token and upload URL of this TikTok. */
export const TIKTOK_SECRET = 'Zq7pXw93LmTtR5vKcY18';

/** What a plan says of sessions; its replies are large, and gone when they were given. */
type Fate = Omit<HostilePlan, 'replies'>;

/** A session that this TikTok has begun, whether or not anyone was told. */
interface TrueSession {
  readonly job: number;
  readonly plan: Fate;
  readonly totalBytes: number;
  receivedBytes: number;
  polls: number;
  /** Why nothing comes of it; undefined: it becomes a post as soon as it has all bytes. */
  readonly failReason: string | undefined;
  /** Statuses that were said of it in a form that leaves no doubt. */
  readonly said: Set<string>;
}

interface Request {
  readonly head: string;
  readonly path: string;
  readonly lengthBytes: number;
  readonly body: Buffer[];
  missingBytes: number;
}

/** What would be right to answer, before anything is twisted. */
interface Right {
  readonly status: number;
  readonly code?: string;
  readonly data?: Record<string, unknown>;
  readonly headers?: readonly string[];
}

/** The tokens of a job's account. @param generation how often they were refreshed */
export function hostileTokens(job: number, generation = 0) {
  return {
    ...{ accessToken: `act.fz${job}z.${TIKTOK_SECRET}${generation}` },
    ...{ refreshToken: `rft.fz${job}z.${TIKTOK_SECRET}${generation}` },
  };
}

/**
 * A TikTok that answers each request of a job as its plan says, and keeps the truth: which inits it accepted, which bytes
 * came whole, and so which posts there are. An init that it refuses has begun nothing: with a documented code, or with an
 * HTTP status that says that the request was wrong. All else may be a lie.
 */
export async function startHostileTikTok() {
  const jobs = new Map<number, { readonly plan: Fate; replies: HostileReply[]; inits: number }>();
  const sessions = new Map<string, TrueSession>();
  const sockets = new Set<Socket>();
  let answerCount = 0;
  let generation = 0;
  let url = '';

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', readRequests(socket));
  });

  /** Reads one request after the other from a socket, and answers each. */
  function readRequests(socket: Socket): (bytes: Buffer) => void {
    let pending = Buffer.alloc(0);
    let request: Request | undefined;
    return function take(bytes: Buffer): void {
      if (request === undefined) {
        pending = Buffer.concat([pending, bytes]);
        const end = pending.indexOf('\r\n\r\n');
        if (end < 0) return;
        const head = pending.subarray(0, end).toString('latin1');
        const lengthBytes = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
        request = { head, path: head.split(' ')[1] ?? '', lengthBytes, missingBytes: lengthBytes, body: [] };
        const rest = pending.subarray(end + 4);
        pending = Buffer.alloc(0);
        if (lengthBytes === 0 || jobs.get(jobOf(request))?.replies[0]?.isEarly === true) finish();
        else if (rest.length > 0) take(rest);
        return;
      }
      const part = bytes.subarray(0, request.missingBytes);
      request.missingBytes -= part.length;
      if (!request.path.startsWith('/upload/')) request.body.push(part);
      if (request.missingBytes === 0) finish();
    };

    function finish(): void {
      if (request === undefined) return;
      const whole = request;
      request = undefined;
      answer(socket, whole);
    }
  }

  function jobOf({ head, path, body }: Request): number {
    const session = sessions.get(publishIdOf(path));
    return session?.job ?? Number(/fz(\d+)z/.exec(head + Buffer.concat(body).toString('latin1'))?.[1] ?? Number.NaN);
  }

  function answer(socket: Socket, request: Request): void {
    const number = jobOf(request);
    const job = jobs.get(number);
    if (job === undefined) {
      socket.end(bytesOf(envelope({ status: 401, code: 'access_token_invalid' })));
      return;
    }
    answerCount += 1;
    const reply = job.replies.shift();
    const secret = /act\.[^\s"&]+|rft\.[^\s"&]+|token=([^\s"&]+)/.exec(
      request.head + Buffer.concat(request.body).toString('latin1'),
    );
    const given = reply === undefined ? undefined : 'head' in reply.answer ? reply.answer : undefined;
    const mayAct = request.missingBytes === 0 && (reply === undefined || reply.acts);
    // A refusal is known before anything is done; what is twisted of a right answer needs that answer.
    const isRefused =
      reply !== undefined &&
      request.path.endsWith('/init/') &&
      refuses(given ?? twisted({ status: 200 }, reply.answer as Twist));
    const right = carryOut(number, request, mayAct && !isRefused);
    const sent = given ?? (reply === undefined ? envelope(right) : twisted(right, reply.answer as Twist));
    noteSaid(request, sent);
    giveAnswer(socket, sent, secret?.[1] ?? secret?.[0] ?? '');
  }

  /** @param acts whether anything changes */
  function carryOut(number: number, request: Request, acts: boolean): Right {
    const { path, head, lengthBytes } = request;
    const text = Buffer.concat(request.body).toString('utf8');
    if (path.startsWith('/upload/')) return takeChunk(publishIdOf(path), head, lengthBytes, acts);
    if (path.endsWith('/init/')) return begin(number, JSON.parse(text || '{}'), acts);
    if (path.endsWith('/status/fetch/')) return tellStatus(JSON.parse(text || '{}').publish_id);
    if (path.endsWith('/creator_info/query/')) {
      const names = { creator_username: 'a', creator_nickname: 'A', max_video_post_duration_sec: 600 };
      return { status: 200, data: { ...names, privacy_level_options: ['PUBLIC_TO_EVERYONE', 'SELF_ONLY'] } };
    }
    if (path.endsWith('/oauth/token/')) {
      generation += 1;
      const { accessToken, refreshToken } = hostileTokens(number, generation);
      const times = { expires_in: 86_400, refresh_expires_in: 86_400, token_type: 'Bearer' };
      const grant = { access_token: accessToken, refresh_token: refreshToken, open_id: `open-${number}`, ...times };
      return { status: 200, data: { ...grant, scope: 'video.publish,video.upload' } };
    }
    return { status: 200 };
  }

  function begin(
    number: number,
    { source_info: source }: { source_info?: Record<string, unknown> },
    acts: boolean,
  ): Right {
    const job = jobs.get(number);
    if (job === undefined) return { status: 401, code: 'access_token_invalid' };
    job.inits += 1;
    const publishId = `v_pub_file~v2-1.${number}.${job.inits}`;
    if (acts) {
      const isPull = source?.source === 'PULL_FROM_URL';
      const totalBytes = isPull ? 0 : Number(source?.video_size);
      const failReason = job.plan.failReasons[job.inits - 1];
      const said = new Set<string>();
      sessions.set(publishId, {
        job: number,
        plan: job.plan,
        totalBytes,
        receivedBytes: 0,
        polls: 0,
        failReason,
        said,
      });
    }
    return {
      status: 200,
      data: { publish_id: publishId, upload_url: `${url}/upload/${publishId}?token=${TIKTOK_SECRET}` },
    };
  }

  function takeChunk(publishId: string, head: string, lengthBytes: number, acts: boolean): Right {
    const session = sessions.get(publishId);
    if (session === undefined) return { status: 404 };
    const [, first, last, total] = /^content-range: *bytes (\d+)-(\d+)\/(\d+)/im.exec(head) ?? [];
    const isNext = Number(first) === session.receivedBytes && Number(total) === session.totalBytes;
    if (!isNext || Number(last) - Number(first) + 1 !== lengthBytes) {
      return { status: 416, headers: [`content-range: bytes 0-${session.receivedBytes}/${session.totalBytes}`] };
    }
    if (acts) session.receivedBytes += lengthBytes;
    const isWhole = session.receivedBytes === session.totalBytes;
    return {
      status: isWhole ? 201 : 206,
      headers: [`content-range: bytes 0-${session.receivedBytes}/${session.totalBytes}`],
    };
  }

  function tellStatus(publishId: unknown): Right {
    const session = sessions.get(String(publishId));
    if (session === undefined) return { status: 400, code: 'invalid_publish_id' };
    session.polls += 1;
    return { status: 200, data: statusOf(session) };
  }

  function noteSaid({ path, body }: Request, { head, body: said, delivery, part }: HostileAnswer): void {
    if (!path.endsWith('/status/fetch/') || (delivery !== 'whole' && delivery !== 'pieces' && part < 1)) return;
    const session = sessions.get(String(JSON.parse(Buffer.concat(body).toString('utf8') || '{}').publish_id));
    if (session === undefined || !/^HTTP\/1.1 2/.test(head)) return;
    const answer = parsed(said);
    if (answer?.error?.code === 'ok') session.said.add(String(answer.data?.status));
  }

  /** An answer with its changes. Answers to chunks have no body, those of OAuth no envelope. */
  function twisted(right: Right, change: Twist): HostileAnswer {
    const other = change.isOfOther ? [...sessions.values()].at(-1) : undefined;
    const data = { ...(other === undefined ? right.data : statusOf(other)) };
    const status = change.status ?? right.status;
    const code = change.code ?? right.code;
    const headers = [...(right.headers ?? []), ...change.headers];
    const { delivery, part, field } = change;
    return { ...envelope({ status, headers, data, ...(code !== undefined && { code }) }, field), delivery, part };
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    answerCount: () => answerCount,
    addJob(number: number, { replies, ...plan }: HostilePlan): void {
      jobs.set(number, { plan, replies: [...replies], inits: 0 });
    },
    /** From here on TikTok behaves, as far as this job is concerned. */
    calm(number: number): void {
      const job = jobs.get(number);
      if (job !== undefined) job.replies = [];
    },
    /** What a job has made at TikTok: its sessions that are a post, and what was said of any of them. */
    truthOf(number: number) {
      const own = [...sessions].filter(([, { job }]) => job === number);
      return {
        /** Posts that appeared, or will, although TikTok never said that they failed. */
        posts: own.filter(([, session]) => isPost(session) && !session.said.has('FAILED')).map(([id]) => id),
        said: new Set(own.flatMap(([, { said }]) => [...said])),
        inits: jobs.get(number)?.inits,
      };
    },
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function publishIdOf(path: string): string {
  return /^\/upload\/([^?]+)/.exec(path)?.[1] ?? '';
}

function isWhole({ receivedBytes, totalBytes }: TrueSession): boolean {
  return receivedBytes === totalBytes;
}

function isPost(session: TrueSession): boolean {
  return isWhole(session) && session.failReason === undefined;
}

function statusOf(session: TrueSession): Record<string, unknown> {
  const { plan, polls, failReason, receivedBytes } = session;
  const progress = plan.media === 'pull' ? {} : { uploaded_bytes: receivedBytes };
  if (!isWhole(session) || polls <= plan.processingPolls) {
    return { status: plan.media === 'pull' ? 'PROCESSING_DOWNLOAD' : 'PROCESSING_UPLOAD', ...progress };
  }
  if (failReason !== undefined) return { status: 'FAILED', fail_reason: failReason, ...progress };
  return { status: plan.mode === 'inbox' ? 'SEND_TO_USER_INBOX' : 'PUBLISH_COMPLETE', ...progress };
}

/** Whether an answer says that nothing was done. */
function refuses({ head, body }: HostileAnswer): boolean {
  const code = parsed(body)?.error?.code;
  return /^HTTP\/\S+ 4\d\d/.test(head) || (typeof code === 'string' && REFUSALS.includes(code));
}

function parsed(
  text: string,
): { readonly error?: { code?: unknown }; readonly data?: { status?: unknown } } | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** TikTok's envelope around data; that of a token is flat, which its fields tell. */
function envelope({ status, code = 'ok', data, headers = [] }: Right, field?: Twist['field']): HostileAnswer {
  const fields = Object.entries(data ?? {}).map(([name, value]) => `"${name}":${JSON.stringify(value)}`);
  if (field !== undefined) fields[field.isFirst ? 'unshift' : 'push'](`"${field.name}":${field.json}`);
  const isToken = data !== undefined && 'access_token' in data && code === 'ok';
  const error = JSON.stringify({ code, message: '', log_id: 'x' });
  const body = isToken ? `{${fields.join()}}` : `{"data":{${fields.join()}},"error":${error}}`;
  const lines = [`HTTP/1.1 ${status} x`, 'content-type: application/json', ...headers];
  return { head: lines.join('\r\n'), body: status === 204 || status === 304 ? '' : body, delivery: 'whole', part: 1 };
}

function bytesOf({ head, body }: HostileAnswer): string {
  return `${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
