import { describe, expect, it } from 'vitest';
import {
  ALL_PUBLISH_STATES,
  canTransition,
  isTerminal,
  PUBLISH_STATES,
  type PublishState,
  parsePublishState,
} from '../../../src/core/publish-state.ts';

describe('the state machine of a publish job', () => {
  it('leads only to states that exist', () => {
    for (const state of ALL_PUBLISH_STATES) {
      for (const next of PUBLISH_STATES[state].next) expect(ALL_PUBLISH_STATES).toContain(next);
    }
  });

  it('reaches every state from another', () => {
    const unreachable = ALL_PUBLISH_STATES.filter((state) => statesBefore(state).length === 0);
    expect(unreachable).toEqual([]);
  });

  it('can leave every state that is not terminal', () => {
    for (const state of ALL_PUBLISH_STATES.filter((name) => !isTerminal(name))) {
      expect(PUBLISH_STATES[state].next.length).toBeGreaterThan(0);
    }
  });

  it('never takes back what was published or cancelled', () => {
    for (const to of ALL_PUBLISH_STATES.filter((state) => state !== 'published')) {
      expect(canTransition('published', to)).toBe(false);
    }
    expect(PUBLISH_STATES.cancelled.next).toEqual([]);
  });

  it('publishes only what TikTok has, or what a late answer corrects', () => {
    expect(statesBefore('published')).toEqual(['processing', 'in_inbox', 'unconfirmed']);
  });

  it('may stay in a state', () => {
    for (const state of ALL_PUBLISH_STATES) expect(canTransition(state, state)).toBe(true);
  });

  it('parses the names of its states and nothing else', () => {
    expect(parsePublishState('in_inbox')).toBe('in_inbox');
    expect(parsePublishState('toString')).toBeUndefined();
  });
});

/** The states from which `to` may be reached, `to` itself not counted. */
function statesBefore(to: PublishState): PublishState[] {
  return ALL_PUBLISH_STATES.filter((from) => from !== to && canTransition(from, to));
}
