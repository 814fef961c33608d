import ipaddr from 'ipaddr.js';

/** Metadata services that sit on addresses of the public ranges: Azure's (learn.microsoft.com, "What is IP address 168.63.129.16"). */
const METADATA_ADDRESSES = ['168.63.129.16'];
/** 2000::/3 is all that IANA hands out as global unicast; what lies outside is special, named or not. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');
/** The well-known prefix of NAT64 (RFC 6052): in a network with IPv6 only, this is how public IPv4 hosts look. */
const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');
const EMBEDDED_IPV4_BYTES = 4;

/**
 * Whether an IP address belongs to the public internet. Private, loopback, link-local, shared, multicast, documentation,
 * benchmark, reserved and metadata addresses do not, and neither do IPv6 forms that carry such an IPv4 address inside.
 * What is not an address is not public.
 *
 * @param address dotted IPv4 or IPv6, without brackets
 */
export function isPublicAddress(address: string): boolean {
  // A zone (fe80::1%eth0) only makes sense for what is local.
  if (address.includes('%') || !isPlainAddress(address)) return false;
  return isPublic(parseAddress(address));
}

/** A plain address as ipaddr.js sees it, which takes `::8.8.8.8` for `::ffff:8.8.8.8` unless all of it is in hex. */
export function parseAddress(address: string): ipaddr.IPv4 | ipaddr.IPv6 {
  const isMixed = address.includes(':') && address.includes('.');
  return ipaddr.parse(isMixed ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address);
}

/** Whether a text is an address in the one notation that every resolver reads alike: not `127.1`, not `0x7f.1`. */
export function isPlainAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address instanceof ipaddr.IPv4) {
    return address.range() === 'unicast' && !METADATA_ADDRESSES.includes(address.toString());
  }
  if (address.isIPv4MappedAddress()) return isPublic(address.toIPv4Address());
  if (address.match(NAT64)) return isPublic(new ipaddr.IPv4(address.toByteArray().slice(-EMBEDDED_IPV4_BYTES)));
  return address.range() === 'unicast' && address.match(GLOBAL_UNICAST);
}
