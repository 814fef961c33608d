import { type Command, InvalidArgumentError, Option } from 'commander';
import { readVersion } from '../app/version.ts';
import { WORKER_KINDS, type WorkerKind } from '../workers/worker-kinds.ts';
import type { CommandContext } from './command-context.ts';
import type { ExitCode } from './exit-codes.ts';

/** Runs a command and keeps its exit code. */
type Run = (command: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;

/** The core's own bound; spelt out here, since `--help` loads nothing of the core. */
const MAX_PHOTOS = 35;
const MAX_PORT = 65_535;
const MAX_PRIORITY = 2_097_151;
const MAX_LIST_LIMIT = 500;

/**
 * The commands and what they take. Each is loaded only when it runs, so that `--help` and `status` don't pay for the
 * web server and the workers.
 */
export function buildProgram(program: Command, run: Run): Command {
  program
    .name('tiktok-publisher')
    .description(
      'A background job queue that publishes videos to TikTok: never twice, never lost, always telling the truth.',
    )
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print what a command takes')
    .addHelpText('after', '\nSettings come from the environment: see docs/configuration.md or .env.example.');
  addServices(program, run);
  addPublishing(program, run);
  addSteering(program, run);
  addAccounts(program, run);
  addCallbacks(program, run);
  addLedger(program, run);
  addDoctor(program, run);
  return program;
}

function addServices(program: Command, run: Run): void {
  withJson(program.command('demo'))
    .description('publish a real video to a simulated TikTok, offline, and show what happens')
    .option('--keep-running', 'leave everything up afterwards, until Ctrl-C')
    .action((options) => run(async (context) => (await import('./commands/demo.ts')).demo(options, context)));
  withJson(program.command('start'))
    .description('run everything a deployment needs in one process: workers and web server')
    .action(() => run(async (context) => (await import('./commands/serve.ts')).start(context)));
  withJson(program.command('worker'))
    .description('run the workers alone, to scale out')
    .option('--only <queues>', `comma list of ${WORKER_KINDS.join(', ')}`, parseWorkerKinds)
    .action((options) => run(async (context) => (await import('./commands/serve.ts')).worker(options, context)));
  withJson(program.command('server'))
    .description('run the web server alone')
    .action(() => run(async (context) => (await import('./commands/serve.ts')).server(context)));
  withJson(program.command('simulator'))
    .description('run the TikTok simulator alone, with one account ready to use')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 takes any free one', wholeNumber(0, MAX_PORT), 0)
    .option('--seed <n>', 'seed of ids and tokens', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('--processing-ms <ms>', 'from the last byte to the outcome', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('--webhook-url <url>', "where to send TikTok's webhooks, such as <start's address>/webhooks/tiktok")
    .action((options) => run(async (context) => (await import('./commands/simulator.ts')).simulator(options, context)));
}

function addPublishing(program: Command, run: Run): void {
  withJson(program.command('publish'))
    .description('enqueue a video or photos')
    .argument('<media...>', 'a video: its file, its URL or s3://bucket/key; or, with --photos, the URLs of photos')
    // Not commander's requiredOption: that would hide the suggestion for a misspelt one.
    .option('--account <name>', 'account to publish on, by its name or open_id; required')
    .addOption(
      new Option('--mode <mode>', 'post it, or leave a draft in the inbox')
        .choices(['direct', 'inbox'])
        .default('direct'),
    )
    .option('--title <text>', 'caption of the post')
    .option(
      '--privacy <level>',
      'PUBLIC_TO_EVERYONE, MUTUAL_FOLLOW_FRIENDS, FOLLOWER_OF_CREATOR or SELF_ONLY; required for direct',
    )
    .option('--at <time>', 'publish at this time, such as 2026-12-01T10:00:00Z')
    .option('--idempotency-key <key>', 'the same key with the same request gives the same job')
    .option('--pull', 'let TikTok fetch the video from a URL of a domain you have verified')
    .option('--fallback-upload', 'with --pull: fetch and upload it ourselves when TikTok fails to')
    .option('--photos', 'post photos, which TikTok fetches from URLs of a domain you have verified')
    .option('--cover <n>', 'with --photos: which of them is the cover, from 0', wholeNumber(0, MAX_PHOTOS - 1))
    .option('--description <text>', 'with --photos: the longer text')
    .option('--auto-add-music', 'with --photos: let TikTok choose music')
    .option('--callback-url <url>', 'receives the events of the job as signed POST requests')
    .addOption(
      new Option(
        '--on-duplicate <what>',
        'what to do when this video was published on the account not long ago',
      ).choices(['allow', 'warn', 'refuse']),
    )
    .option('--priority <n>', '1 is the most urgent; 0, the default, comes before all', wholeNumber(0, MAX_PRIORITY))
    .option('--disable-comment', 'nobody may comment')
    .option('--disable-duet', 'nobody may make a duet')
    .option('--disable-stitch', 'nobody may stitch')
    .option('--brand-content', 'declare a paid partnership')
    .option('--brand-organic', 'declare promotion of your own business')
    .option('--ai-generated', 'declare content made by AI')
    .option('--cover-ms <ms>', 'moment of the video that becomes its cover', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('--metadata <json>', 'your own JSON object, echoed with the job', parseJsonObject)
    .addOption(new Option('--dry-run', 'only say whether it would be refused').conflicts(['watch', 'wait']))
    .addOption(new Option('--watch', 'show progress until the end').conflicts('wait'))
    .option('--wait', 'wait silently until the end')
    .action((targets, options) =>
      run(async (context) => (await import('./commands/publish.ts')).publish(targets, options, context)),
    );
  withJson(program.command('status'))
    .description('show one job')
    .argument('<id>', 'id of the job')
    .action((id) => run(async (context) => (await import('./commands/jobs.ts')).status(id, context)));
  withJson(program.command('list'))
    .description('show jobs, newest first')
    .option('--account <name>', 'only of this account')
    .option('--state <state>', 'only in this state')
    .option('--limit <n>', 'at most so many', wholeNumber(1, MAX_LIST_LIMIT))
    .option('--cursor <cursor>', 'go on where the page before ended')
    .action((options) => run(async (context) => (await import('./commands/jobs.ts')).list(options, context)));
  withJson(program.command('watch'))
    .description('show the progress of one job until its end')
    .argument('<id>', 'id of the job')
    .action((id) => run(async (context) => (await import('./commands/watch.ts')).watch(id, context)));
}

function addSteering(program: Command, run: Run): void {
  withJson(program.command('cancel'))
    .description('stop a job that cannot have been published yet')
    .argument('<id>', 'id of the job')
    .action((id) => run(async (context) => (await import('./commands/jobs.ts')).cancel(id, context)));
  withJson(program.command('retry'))
    .description('let a failed or unconfirmed job go on, in the way that cannot post twice')
    .argument('<id>', 'id of the job')
    .option('--force', 'begin afresh although it may have been published: you have looked on TikTok')
    .action((id, options) => run(async (context) => (await import('./commands/jobs.ts')).retry(id, options, context)));
}

function addAccounts(program: Command, run: Run): void {
  const accounts = program.command('accounts').description('connect TikTok accounts');
  withJson(accounts.command('add'))
    .description(
      'add an account, or replace its tokens; reads {"accessToken", "expiresIn", "refreshToken", "refreshExpiresIn", "scope"} from standard input',
    )
    .argument('<account>', 'name that publish requests will use')
    .requiredOption('--open-id <id>', "TikTok's id of the user")
    .action((account, options) =>
      run(async (context) => (await import('./commands/accounts.ts')).addAccount(account, options, context)),
    );
  withJson(accounts.command('list'))
    .description('show the accounts, without their tokens')
    .action(() => run(async (context) => (await import('./commands/accounts.ts')).listAccounts(context)));
  withJson(accounts.command('connect'))
    .description('make a link, good for a day, with which the owner of a TikTok account connects it')
    .argument('<account>', 'name that publish requests will use')
    .action((account) =>
      run(async (context) => (await import('./commands/accounts.ts')).connectAccount(account, context)),
    );
  withJson(accounts.command('pause'))
    .description('hold back what an account publishes')
    .argument('<account>', 'name or open_id')
    .action((account) =>
      run(async (context) => (await import('./commands/accounts.ts')).pauseAccount(account, context)),
    );
  withJson(accounts.command('resume'))
    .description('end a pause')
    .argument('<account>', 'name or open_id')
    .action((account) =>
      run(async (context) => (await import('./commands/accounts.ts')).resumeAccount(account, context)),
    );
  withJson(accounts.command('remove'))
    .description('forget an account and its tokens, and end the access at TikTok')
    .argument('<account>', 'name or open_id')
    .option('--keep-grant', 'leave the access at TikTok as it is, for another program that uses it')
    .action((account, options) =>
      run(async (context) => (await import('./commands/accounts.ts')).removeAccount(account, options, context)),
    );
  withJson(accounts.command('rekey'))
    .description('seal all tokens with the first of ENCRYPTION_KEYS, so that the others can be dropped')
    .action(() => run(async (context) => (await import('./commands/rekey.ts')).rekey(context)));
}

function addCallbacks(program: Command, run: Run): void {
  const callbacks = program.command('callbacks').description('look after events sent to callback URLs');
  withJson(callbacks.command('list'))
    .description('show how deliveries go, which endpoints are paused and what was given up')
    .argument('[job]', 'id of a job, to see its deliveries')
    .action((job) => run(async (context) => (await import('./commands/callbacks.ts')).listCallbacks(job, context)));
  withJson(callbacks.command('replay'))
    .description('deliver again: an event, all events of a job, or what was given up')
    .argument('[event-or-job]', 'id of an event or of a job')
    .option('--failed', 'everything that was given up')
    .option('--endpoint <host>', 'with --failed: only what goes to this host, or host:port')
    .action((id, options) =>
      run(async (context) => (await import('./commands/callbacks.ts')).replayCallbacks(id, options, context)),
    );
  withJson(callbacks.command('resume'))
    .description('end the pause of an endpoint that kept failing')
    .argument('<endpoint>', 'its id or its address, as the list shows them')
    .action((endpoint) =>
      run(async (context) => (await import('./commands/callbacks.ts')).resumeCallbacks(endpoint, context)),
    );
  withJson(callbacks.command('secret'))
    .description('print the secret that receivers check signatures with')
    .action(() => run(async (context) => (await import('./commands/callbacks.ts')).printCallbackSecret(context)));
}

function addLedger(program: Command, run: Run): void {
  const ledger = program.command('ledger').description('look after what Redis holds of the jobs');
  withJson(ledger.command('accept'))
    .description('go on with a Redis that was set back to an older state; without --yes it only says what it would do')
    .option('--yes', 'end what may have been published since as unconfirmed, and let workers go on')
    .option('--keep-jobs', 'end no job: nothing was published since, or it is another Redis')
    .option('--restored', 'a backup was restored, although no worker noticed')
    .action((options) => run(async (context) => (await import('./commands/ledger.ts')).acceptLedger(options, context)));
}

function addDoctor(program: Command, run: Run): void {
  withJson(program.command('doctor'))
    .description('check settings, Redis, keys, clock, TikTok and queues; say what is wrong and how to fix it')
    .action(() => run(async (context) => (await import('./commands/doctor.ts')).doctor(context)));
}

function withJson(command: Command): Command {
  return command.option('--json', 'print JSON and nothing else on standard output');
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
  };
}

function parseWorkerKinds(text: string): WorkerKind[] {
  return text.split(',').map((name) => {
    const kind = WORKER_KINDS.find((known) => known === name.trim());
    if (kind === undefined) throw new InvalidArgumentError(`Expected some of ${WORKER_KINDS.join(', ')}.`);
    return kind;
  });
}

function parseJsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Told below, together with JSON that is no object.
  }
  throw new InvalidArgumentError('Expected a JSON object, such as \'{"campaign": "spring"}\'.');
}
