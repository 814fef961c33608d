import { startSimulator } from '../../simulator/index.ts';

/* The simulated TikTok of `bench`: a process of its own, so that its work is not measured as ours. */

const [accountCount, processingMs] = process.argv.slice(2).map(Number);
const simulator = await startSimulator({ processingMs: processingMs ?? 0, digest: false, journalLimit: 1_000 });
const { url, clientKey, clientSecret } = simulator;
const accounts = Array.from({ length: accountCount ?? 0 }, () => simulator.addAccount());
process.send?.({ url, clientKey, clientSecret, accounts });
process.on('disconnect', () => process.exit());
// Ctrl-C goes to all processes of a terminal, but uploads under way still need TikTok.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined);
