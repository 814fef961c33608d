import { describe, expect, it } from 'vitest';
import { sourceFiles } from './source-files.ts';

const files = sourceFiles('src');

/** The parts that a room works with, and who may take all of them: those that the room is entered by. */
const BAGS: readonly { readonly type: string; readonly room: string; readonly takers: readonly string[] }[] = [
  {
    type: 'WorkerDeps',
    room: 'src/workers/',
    takers: [
      'src/workers/publish/publish-processor.ts processPublishEntry',
      'src/workers/runtime/queue-work.ts uploadWork',
      'src/workers/runtime/queue-work.ts statusWork',
      'src/workers/runtime/start-workers.ts StartWorkersOptions',
      'src/workers/status/recheck-processor.ts processRecheckEntry',
      'src/workers/status/status-processor.ts processStatusEntry',
    ],
  },
  {
    type: 'CallbackDeps',
    room: 'src/callbacks/',
    takers: ['src/callbacks/callback-processor.ts processEventEntry'],
  },
  {
    type: 'ApiOptions',
    room: 'src/http/',
    takers: ['src/http/start-server.ts ServerOptions', 'src/http/v1/api.ts registerApi'],
  },
];

describe('a function takes what it uses', () => {
  it.each(BAGS)('so $type goes whole to the entries of $room only', ({ type, room, takers }) => {
    const found = files
      .filter(({ path }) => path.startsWith(room))
      .flatMap(({ path, code }) => takersOf(type, path, code));
    expect(found).toEqual(takers);
  });
});

/** The functions and interfaces of a file that name a type whole: not a part of it, and not where it is declared. */
function takersOf(type: string, path: string, code: string): string[] {
  const uses = code.matchAll(new RegExp(`(?<!Pick<|Omit<|keyof |interface )\\b${type}\\b(?!\\[)`, 'g'));
  return [...uses].flatMap(({ index }) => {
    const before = code.slice(0, index);
    const isImport = /(?:^|\n)import\s[^;]*$/.test(before);
    const names = [...before.matchAll(/\b(?:function\*?|interface|class|type|const)\s+(\w+)/g)];
    return isImport ? [] : [`${path} ${names.at(-1)?.[1] ?? ''}`];
  });
}
