/**
 * What must happen to an account at once. An account lies in a hash under its name; the hash under its open_id holds
 * only `aliasOf`, so that one look-up finds the account by either. `version` is random and new with each set of tokens.
 */

/**
 * Stores an account, or replaces its tokens.
 *
 * KEYS: hash of the name, hash of the open_id, set of names, events stream. ARGV: name, open_id, now, the event's JSON, then field,
 * value, …
 * Returns 'ok', or what stands against it and the other party's name or id.
 */
export const ADD_ACCOUNT_LUA = `
local name, openId, now = ARGV[1], ARGV[2], ARGV[3]
local alias = redis.call('HGET', KEYS[1], 'aliasOf')
if alias then return {'name_is_open_id_of', alias} end
local known = redis.call('HGET', KEYS[1], 'openId')
if known and known ~= openId then return {'has_other_open_id', known} end
if KEYS[1] ~= KEYS[2] then
  local owner = redis.call('HGET', KEYS[2], 'aliasOf')
  if not owner and redis.call('EXISTS', KEYS[2]) == 1 then owner = openId end
  if owner and owner ~= name then return {'open_id_taken_by', owner} end
  redis.call('HSET', KEYS[2], 'aliasOf', name)
end
local addedAt = redis.call('HGET', KEYS[1], 'addedAt')
if not tonumber(addedAt or '') then addedAt = now end
local pausedAt, pauseCode = unpack(redis.call('HMGET', KEYS[1], 'pausedAt', 'pauseCode'))
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'openId', openId, 'addedAt', addedAt, unpack(ARGV, 5))
if pausedAt then redis.call('HSET', KEYS[1], 'pausedAt', pausedAt) end
if pauseCode then redis.call('HSET', KEYS[1], 'pauseCode', pauseCode) end
redis.call('ZADD', KEYS[3], addedAt, name)
redis.call('XADD', KEYS[4], '*', 'event', ARGV[4])
return {'ok', ''}
`;

/** Forgets an account. KEYS as above. ARGV: name, open_id. Returns 1 if it was there. */
export const REMOVE_ACCOUNT_LUA = `
if redis.call('HGET', KEYS[1], 'openId') ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
return 1
`;

/**
 * Stores refreshed tokens over the version they came from; the refresh token so far becomes the fallback.
 *
 * KEYS[1] the account. ARGV: expected version, then field, value, … Returns 0 if the version is another by now.
 */
export const SAVE_TOKENS_LUA = `
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 0 end
local previous = redis.call('HGET', KEYS[1], 'refreshToken')
redis.call('HDEL', KEYS[1], 'reauthorizationRequiredAt', 'reauthorizationReason', 'accessTokenExpiresAt',
  'clientKey')
if previous then redis.call('HSET', KEYS[1], 'fallbackRefreshToken', previous) end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return 1
`;

/**
 * Sets fields of an account that exists, ARGV[1] being the version it must have ('' for any).
 *
 * KEYS[1] the account. ARGV: version, then field, value, … Returns 1 if set.
 */
export const SET_FIELDS_LUA = `
local version = redis.call('HGET', KEYS[1], 'version')
if not version or (ARGV[1] ~= '' and ARGV[1] ~= version) then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return 1
`;

/**
 * Notes a pause, keeping the first one, and tells it on the events stream. KEYS: the account, the events stream, held
 * accounts. ARGV: now, name, the event's JSON, the error code for which it is ('' for none). Returns 1 if there is an account.
 */
export const PAUSE_ACCOUNT_LUA = `
if redis.call('HEXISTS', KEYS[1], 'openId') == 0 then return 0 end
redis.call('ZADD', KEYS[3], 'NX', ARGV[1], ARGV[2])
if redis.call('HSETNX', KEYS[1], 'pausedAt', ARGV[1]) == 1 then
  redis.call('XADD', KEYS[2], '*', 'event', ARGV[3])
  if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'pauseCode', ARGV[4]) end
end
return 1
`;

/** Ends a pause. KEYS[1] the account. Returns 1 if there is an account. */
export const RESUME_ACCOUNT_LUA = `
redis.call('HDEL', KEYS[1], 'pausedAt', 'pauseCode')
return redis.call('HEXISTS', KEYS[1], 'openId')
`;

/**
 * Notes that an account's owner must connect it again, and tells it on the events stream, once per set of tokens.
 *
 * KEYS: the account, the events stream, held accounts. ARGV: version it must have ('' for any), now, reason, name, the event's JSON, the
 * time before which its tokens were granted, and what stands in the event's id for the version. Returns 1 if it is noted.
 */
export const MARK_REAUTHORIZATION_LUA = `
local version = redis.call('HGET', KEYS[1], 'version')
if not version or (ARGV[1] ~= '' and ARGV[1] ~= version) then return 0 end
local grantedAt = tonumber(redis.call('HGET', KEYS[1], 'grantedAt') or '') or 0
if grantedAt >= tonumber(ARGV[6]) then return 0 end
if redis.call('HSETNX', KEYS[1], 'reauthorizationRequiredAt', ARGV[2]) == 0 then return 1 end
redis.call('HSET', KEYS[1], 'reauthorizationReason', ARGV[3])
redis.call('ZADD', KEYS[3], 'NX', ARGV[2], ARGV[4])
local event = string.gsub(ARGV[5], ARGV[7], version, 1)
redis.call('XADD', KEYS[2], '*', 'event', event)
return 1
`;
