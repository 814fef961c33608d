/**
 * Books the next free time of one list of booked times (ms of the server's clock, oldest first).
 *
 * KEYS[1] the list. ARGV: limit, window and margin in ms, horizon in ms (-1: none).
 * Returns {ms to wait, 1 if booked}. A time beyond the horizon is not booked; the wait then lasts until it comes within.
 */
export const RESERVE_SLOT_LUA = `
local limit, window, horizon = tonumber(ARGV[1]), tonumber(ARGV[2]) + tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local slot = now
local oldest = redis.call('LINDEX', KEYS[1], -limit)
if oldest then slot = math.max(slot, tonumber(oldest) + window) end
local newest = redis.call('LINDEX', KEYS[1], -1)
if newest then slot = math.max(slot, tonumber(newest)) end
if horizon >= 0 and slot - now > horizon then return {slot - now - horizon, 0} end
redis.call('RPUSH', KEYS[1], string.format('%.0f', slot))
redis.call('LTRIM', KEYS[1], -limit, -1)
redis.call('PEXPIRE', KEYS[1], slot - now + window)
return {slot - now, 1}
`;

/**
 * Books the past full, so that nothing new is booked for the next ARGV[4] ms. Later bookings stay as they are.
 *
 * KEYS[1] the list. ARGV: limit, window and margin in ms, delay in ms.
 */
export const PUSH_SLOTS_LUA = `
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]) + tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local blocker = now + tonumber(ARGV[4]) - window
local booked = {}
for _, slot in ipairs(redis.call('LRANGE', KEYS[1], -limit, -1)) do
  if tonumber(slot) > blocker then table.insert(booked, slot) end
end
redis.call('DEL', KEYS[1])
for _ = #booked + 1, limit do redis.call('RPUSH', KEYS[1], string.format('%.0f', blocker)) end
for _, slot in ipairs(booked) do redis.call('RPUSH', KEYS[1], slot) end
local newest = math.max(blocker, tonumber(booked[#booked] or 0))
redis.call('PEXPIRE', KEYS[1], math.max(1, newest - now + window))
return 1
`;
