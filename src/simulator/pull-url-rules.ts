import { isIP } from 'node:net';
import type { RefusalCode } from './answers.ts';
import type { SimulatorSettings } from './options.ts';

/**
 * Why TikTok will not pull from this URL, if so. A verified domain covers its subdomains and all paths; a verified
 * prefix covers what begins exactly so (content-posting-api-media-transfer-guide, read 2026-11-22).
 */
export function pullUrlRefusal(videoUrl: string, settings: SimulatorSettings): RefusalCode | undefined {
  const url = parseUrl(videoUrl);
  if (url === undefined) return 'invalid_params';
  if (settings.switches.pullUrlRules === 'off') return undefined;
  if (url.protocol !== 'https:') return 'invalid_params';
  // The host of a property is "a domain, not an IP address".
  if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) return 'url_ownership_unverified';
  const isVerified = settings.verifiedUrlPrefixes.some((property) =>
    property.includes('://') ? url.href.startsWith(property) : isWithinDomain(url.hostname, property),
  );
  return isVerified ? undefined : 'url_ownership_unverified';
}

function isWithinDomain(hostname: string, domain: string): boolean {
  return hostname === domain || hostname.endsWith(`.${domain}`);
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
