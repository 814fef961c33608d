import { type Command, Option } from 'commander';
import { readVersion } from '../app/version.ts';
import { MAX_LISTED_JOBS, MAX_PHOTOS, MAX_PRIORITY } from '../core/post-limits.ts';
import { WORKER_KINDS } from '../workers/runtime/worker-kinds.ts';
import { addAccounts } from './add-accounts.ts';
import { addKeys, addSubscriptions } from './add-keys.ts';
import { addOperations } from './add-operations.ts';
import { addSteering } from './add-steering.ts';
import { withFilter } from './filter-options.ts';
import { JOB_ID, parseJsonObject, parseWorkerKinds, wholeNumber } from './option-values.ts';
import { type Run, withJson } from './with-json.ts';

const MAX_PORT = 65_535;

/**
 * The commands and what they take. Each is loaded only when it runs, so that `--help` and `status` don't pay for the
 * web server and the workers.
 */
export function buildProgram(program: Command, run: Run): Command {
  program
    .name('tiktok-publisher')
    .description(
      'A background job queue that publishes videos to TikTok: never twice, never lost, and every job state is accurate.',
    )
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help for a command')
    .addHelpText('after', '\nSettings come from the environment: see docs/configuration.md or .env.example.');
  addServices(program, run);
  addPublishing(program, run);
  addWatching(program, run);
  addSteering(program, run);
  addOperations(program, run);
  addAccounts(program, run);
  addCallbacks(program, run);
  addSubscriptions(program, run);
  addKeys(program, run);
  addLedger(program, run);
  addChecks(program, run);
  return program;
}

function addServices(program: Command, run: Run): void {
  withJson(program.command('demo'))
    .description('publish a real video to a simulated TikTok, offline, and kill a worker in the middle of it')
    .option('--quick', 'kill no worker')
    .option('--keep-running', 'keep the demo running until Ctrl-C')
    .action((options) => run(async (context) => (await import('./commands/demo.ts')).demo(options, context)));
  withJson(program.command('start'))
    .description('run everything a deployment needs in one process: workers and web server')
    .action(() => run(async (context) => (await import('./commands/server.ts')).start(context)));
  withJson(program.command('worker'))
    .description('run only workers, to scale out')
    .option('--only <queues>', `comma-separated list of ${WORKER_KINDS.join(', ')}`, parseWorkerKinds)
    .action((options) => run(async (context) => (await import('./commands/worker.ts')).worker(options, context)));
  withJson(program.command('server'))
    .description('run only the web server')
    .action(() => run(async (context) => (await import('./commands/server.ts')).server(context)));
  withJson(program.command('simulator'))
    .description('run only the TikTok simulator, with one account ready to use')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 picks a free port', wholeNumber(0, MAX_PORT), 0)
    .option('--seed <n>', 'seed for ids and tokens', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option(
      '--processing-ms <ms>',
      'processing time, from the last byte to the outcome',
      wholeNumber(0, Number.MAX_SAFE_INTEGER),
    )
    .option(
      '--posts-per-day <n>',
      'direct posts of a creator in 24 hours; 15, as at TikTok, by default',
      wholeNumber(0, Number.MAX_SAFE_INTEGER),
    )
    .option('--webhook-url <url>', "where to send TikTok's webhooks, such as <start's address>/webhooks/tiktok")
    .action((options) => run(async (context) => (await import('./commands/simulator.ts')).simulator(options, context)));
  withJson(program.command('conformance'))
    .description("tell which of TikTok's rules the client of a running simulator met, broke or did not exercise")
    .argument('<simulator-url>', 'address that the simulator printed')
    .action((url) => run(async (context) => (await import('./commands/simulator.ts')).conformance(url, context)));
}

function addPublishing(program: Command, run: Run): void {
  withJson(program.command('publish'))
    .description('enqueue a video or photos')
    .argument('<media...>', 'a video, or with --photos the photos: file path, URL or s3://bucket/key')
    // Not commander's requiredOption: that would hide the suggestion for a misspelt one.
    .option('--account <name>', 'name or open_id of the account to publish to; required')
    .addOption(
      new Option('--mode <mode>', 'publish directly, or send a draft to the inbox')
        .choices(['direct', 'inbox'])
        .default('direct'),
    )
    .option('--title <text>', 'caption of the post')
    .option(
      '--privacy <level>',
      'PUBLIC_TO_EVERYONE, MUTUAL_FOLLOW_FRIENDS, FOLLOWER_OF_CREATOR or SELF_ONLY; required for direct',
    )
    .option(
      '--at <time>',
      'publish at this time: 2026-12-01T10:00:00Z, +2h, tomorrow 10:00 or 2026-12-01 10:00 (on the clock of this machine)',
    )
    .option('--not-after <time>', 'fail instead of publishing later than this time, written as for --at')
    .option('--idempotency-key <key>', 'the same key with the same request returns the same job')
    .option(
      '--pull',
      'TikTok downloads the video itself: from its URL on your verified domain, or a file or object from this service',
    )
    .option('--fallback-upload', 'with --pull: if the download by TikTok fails, the worker uploads the video')
    .option(
      '--photos',
      'post photos, which TikTok downloads: from URLs on your verified domain, or files and objects from this service',
    )
    .option('--cover <n>', 'with --photos: index of the cover photo, from 0', wholeNumber(0, MAX_PHOTOS - 1))
    .option('--description <text>', 'with --photos: the long description')
    .option('--auto-add-music', 'with --photos: let TikTok choose music')
    .option('--callback-url <url>', 'URL that receives the events of the job as signed POST requests')
    .addOption(
      new Option('--on-duplicate <what>', 'what to do if this video was recently published on the account').choices([
        'allow',
        'warn',
        'refuse',
      ]),
    )
    .option(
      '--priority <n>',
      'lower numbers run first; 0, the default, runs before all others',
      wholeNumber(0, MAX_PRIORITY),
    )
    .option('--disable-comment', 'disable comments')
    .option('--disable-duet', 'disable duets')
    .option('--disable-stitch', 'disable stitches')
    .option('--brand-content', 'declare a paid partnership')
    .option('--brand-organic', 'declare a promotion of your own business')
    .option('--ai-generated', 'declare AI-generated content')
    .option(
      '--cover-ms <ms>',
      'time of the video frame that becomes the cover',
      wholeNumber(0, Number.MAX_SAFE_INTEGER),
    )
    .option('--metadata <json>', 'your own JSON object, returned with the job', parseJsonObject)
    .addOption(new Option('--dry-run', 'only check the request, do not enqueue it').conflicts(['watch', 'wait']))
    .addOption(new Option('--watch', 'show progress until the job ends').conflicts('wait'))
    .option('--wait', 'print the id of the job, and wait until it ends')
    .action((targets, options) =>
      run(async (context) => (await import('./commands/publish.ts')).publish(targets, options, context)),
    );
}

function addWatching(program: Command, run: Run): void {
  withJson(program.command('status'))
    .description('show a job')
    .argument('<id>', JOB_ID)
    .action((id) => run(async (context) => (await import('./commands/jobs.ts')).status(id, context)));
  withFilter(withJson(program.command('list')))
    .description('show jobs, newest first')
    .option('--oldest-first', 'show the oldest first')
    .option('--limit <n>', 'maximum number of jobs', wholeNumber(1, MAX_LISTED_JOBS))
    .option('--cursor <cursor>', 'cursor of the next page, as printed by the previous one')
    .action((options) => run(async (context) => (await import('./commands/jobs.ts')).list(options, context)));
  withJson(program.command('counts'))
    .description('show how many jobs there are by state, error code and waiting reason')
    .option('--account <name>', 'only jobs of this account')
    .action((options) => run(async (context) => (await import('./commands/jobs.ts')).counts(options, context)));
  withJson(program.command('watch'))
    .description('show the progress of a job until it ends')
    .argument('<id>', JOB_ID)
    .action((id) => run(async (context) => (await import('./commands/watch.ts')).watch(id, context)));
}

function addCallbacks(program: Command, run: Run): void {
  const callbacks = program.command('callbacks').description('manage events sent to callback URLs');
  withJson(callbacks.command('list'))
    .description('show pending deliveries, paused endpoints, disabled URLs and failed events')
    .argument('[job]', 'id of a job, to show its deliveries')
    .action((job) => run(async (context) => (await import('./commands/callbacks.ts')).listCallbacks(job, context)));
  withJson(callbacks.command('replay'))
    .description('deliver again: one event, all events of a job, or all failed events')
    .argument('[event-or-job]', 'id of an event or of a job')
    .option('--failed', 'all events that failed permanently')
    .option('--endpoint <host>', 'with --failed: only events for this host or host:port')
    .action((id, options) =>
      run(async (context) => (await import('./commands/callbacks.ts')).replayCallbacks(id, options, context)),
    );
  withJson(callbacks.command('resume'))
    .description('resume an endpoint that was paused after repeated failures, or a URL that responded with 410')
    .argument('<endpoint>', 'id or address of the endpoint, as printed by `callbacks list`')
    .action((endpoint) =>
      run(async (context) => (await import('./commands/callbacks.ts')).resumeCallbacks(endpoint, context)),
    );
  withJson(callbacks.command('secret'))
    .description('print the secret with which receivers verify signatures')
    .action(() => run(async (context) => (await import('./commands/callbacks.ts')).printCallbackSecret(context)));
}

function addLedger(program: Command, run: Run): void {
  const ledger = program.command('ledger').description('manage the job records in Redis');
  withJson(ledger.command('accept'))
    .description(
      'continue with a Redis that was restored to an older state; without --yes, only show what would change',
    )
    .option('--yes', 'apply: jobs that may have been published since end as unconfirmed, and workers continue')
    .option('--keep-jobs', 'end no job: nothing was published since the backup, or this is a different Redis')
    .option('--restored', 'a backup was restored, but no worker has detected it')
    .action((options) => run(async (context) => (await import('./commands/ledger.ts')).acceptLedger(options, context)));
}

const BENCH_HELP = `
It uses the Redis of the settings, beside the real jobs, which may be slower meanwhile. All its keys begin with
<QUEUE_PREFIX>:bench: and are removed at the end, at Ctrl-C and after an error. Keys of a run that was killed are
removed by the next run, when they are an hour old.`;

function addChecks(program: Command, run: Run): void {
  withJson(program.command('doctor'))
    .description('check settings, Redis, keys, clock, TikTok and queues; show problems and how to fix them')
    .option('--live <account>', 'then post a video of 1 second that only the owner of this account sees (SELF_ONLY)')
    .option('--yes', 'with --live: post without asking')
    .action((options) => run(async (context) => (await import('./commands/doctor.ts')).doctor(options, context)));
  withJson(program.command('bench'))
    .description('measure how much this machine and its Redis publish, with a simulated TikTok')
    .option(
      '--publishes <n>',
      'how many; by default as many as fit in 20 seconds, at most 2,500',
      wholeNumber(1, 10_000),
    )
    .option('--concurrency <n>', 'uploads at the same time', wholeNumber(1, 1_000), 50)
    .addHelpText('after', BENCH_HELP)
    .action((options) => run(async (context) => (await import('./commands/bench.ts')).bench(options, context)));
}
