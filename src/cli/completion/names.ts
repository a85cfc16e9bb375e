import type { Admin } from '../../client/node.ts';

/** Whoever presses the tab key waits for this. */
const TIMEOUT_MS = 1200;
const TOPIC_COMMANDS: ReadonlySet<string> = new Set(['produce', 'consume']);
const TOPIC_ACTIONS: ReadonlySet<string> = new Set(['describe', 'alter', 'delete']);
const GROUP_ACTIONS: ReadonlySet<string> = new Set(['describe', 'delete', 'reset-offsets']);

export type NameKind = 'topics' | 'groups';

/**
 * What kind of name is being typed, after the words without options and their values (the last is the one being typed)
 * and the option before it, if it is the value of one; undefined when it is no name that the cluster knows.
 */
export function nameKindAt(positionals: readonly string[], option: string | undefined): NameKind | undefined {
  if (option === '--topic') return 'topics';
  if (option === '--group') return 'groups';
  const [command = '', action = '', ...rest] = positionals;
  if (TOPIC_COMMANDS.has(command) && positionals.length === 2) return 'topics';
  if (rest.length !== 1) return undefined;
  if (command === 'topics' && TOPIC_ACTIONS.has(action)) return 'topics';
  return command === 'groups' && GROUP_ACTIONS.has(action) ? 'groups' : undefined;
}

/** The names there are; none when no node answers in time: a completion never complains. */
export async function namesOf(kind: NameKind, bootstrap: string): Promise<string[]> {
  const { Odradek } = await import('../../client/node.ts');
  let client: InstanceType<typeof Odradek> | undefined;
  try {
    client = new Odradek({ bootstrap, clientId: 'odradek-completion', connectTimeoutMs: TIMEOUT_MS });
    return await list(client.admin({ timeoutMs: TIMEOUT_MS }), kind);
  } catch {
    return [];
  } finally {
    await client?.close();
  }
}

async function list(admin: Admin, kind: NameKind): Promise<string[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string[]>((resolve) => {
    timer = setTimeout(() => resolve([]), TIMEOUT_MS);
  });
  const names =
    kind === 'topics'
      ? admin.listTopics().then((topics) => topics.map(({ name }) => name))
      : admin.listGroups().then((groups) => groups.map(({ groupId }) => groupId));
  try {
    return await Promise.race([names, late]);
  } finally {
    clearTimeout(timer);
  }
}
