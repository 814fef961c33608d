import type { Config } from '../../config/load-config.ts';
import { PULL_CHECK, PULL_PATH } from '../../core/media-route.ts';
import { PublishError } from '../../core/publish-error.ts';
import { askPullAddress } from '../../media/ask-pull-address.ts';
import { readVerificationFiles } from '../../media/verification-files.ts';
import type { Finding } from './finding.ts';

/** The part of the check text that is asked for, to see whether ranges come through. */
const RANGE_BYTES = 4;

/** Whether TikTok can download media from `PUBLIC_BASE_URL`: looked at as TikTok does, from this machine. */
export async function pullFindings({
  pull,
  proxy,
}: Pick<Config, 'pull'> & Partial<Pick<Config, 'proxy'>>): Promise<Finding[]> {
  const { baseUrl, verificationFiles } = pull;
  if (baseUrl === undefined) return [];
  const prefix = `${baseUrl}${PULL_PATH}/`;
  const trouble = (await troubleWith(prefix, { baseUrl, verificationFiles, proxy })) ?? schemeTrouble(baseUrl);
  if (trouble === undefined) {
    const message = `${prefix} can be downloaded from; TikTok does so once you have verified it in its portal`;
    return [{ check: 'pull', level: 'ok', message }];
  }
  // Without such a file the address may be there for browsers alone; then nothing that is published suffers.
  return [{ check: 'pull', level: verificationFiles.length > 0 ? 'problem' : 'advice', ...trouble }];
}

type Trouble = Pick<Finding, 'message' | 'fix'>;

async function troubleWith(
  prefix: string,
  { baseUrl, verificationFiles, proxy }: { baseUrl: string } & Config['pull'] & Partial<Pick<Config, 'proxy'>>,
): Promise<Trouble | undefined> {
  const files = await readVerificationFiles(verificationFiles);
  try {
    const range = `bytes=0-${RANGE_BYTES - 1}`;
    const { httpStatus, text } = await askPullAddress(baseUrl, PULL_CHECK.name, { range, proxy });
    if (httpStatus >= 300 && httpStatus < 400)
      return { message: `${prefix} redirects, which TikTok does not follow`, fix: REDIRECT };
    if (!PULL_CHECK.text.startsWith(text) || text === '') {
      return { message: `${prefix} does not lead to this web server: HTTP ${httpStatus}`, fix: NOT_PASSED_ON };
    }
    if (httpStatus !== 206) return { message: `${prefix} ignores ranges`, fix: NO_RANGES };
    for (const [name, content] of files) {
      const answer = await askPullAddress(baseUrl, name, { proxy });
      if (answer.httpStatus === 200 && answer.text === content) continue;
      return { message: `${prefix}${name} is not the file of this name: HTTP ${answer.httpStatus}`, fix: OTHER_FILE };
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    return { message: `${prefix} cannot be downloaded from: ${error.message}`, fix: NOT_REACHED };
  }
}

function schemeTrouble(baseUrl: string): Trouble | undefined {
  if (baseUrl.startsWith('https:')) return undefined;
  return { message: `TikTok downloads over https only, and PUBLIC_BASE_URL is ${baseUrl}`, fix: NO_TLS };
}

const NO_TLS = 'Put a proxy with TLS in front, and set PUBLIC_BASE_URL to its https address. The simulator needs none.';
const REDIRECT = 'Set PUBLIC_BASE_URL to the address at the end of the redirect, and verify that one at TikTok.';
const NOT_PASSED_ON =
  'Start the web server, and have the proxy pass /pull/ on to it without a login: docs/deployment.md.';
const OTHER_FILE = 'Set TIKTOK_VERIFICATION_FILES in the web server too, and restart it.';
const NO_RANGES = 'Have the proxy pass the header Range on. It is not documented whether TikTok uses it.';
const NOT_REACHED = 'Start the web server. Check the name in DNS, the certificate, the proxy and the firewall.';
