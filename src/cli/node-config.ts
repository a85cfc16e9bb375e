/** A node's configuration for the commands that need it: from `--config`, the environment and `--set`. */
import { readFileSync } from 'node:fs';
import type { Argv } from 'yargs';
import { asError } from '../platform/as-error.ts';
import type { ResolvedConfig } from '../server/config-sources.ts';
import { UsageError } from './run.ts';

export interface ConfigArguments {
  readonly config: string | undefined;
  readonly set: readonly string[];
}

export function configOptions<T>(command: Argv<T>) {
  return command
    .option('config', {
      type: 'string',
      describe: "The node's config file (YAML); ODRADEK_CONFIG names it too",
    })
    .option('set', {
      type: 'string',
      array: true,
      nargs: 1,
      default: [] as string[],
      describe: 'Override a key of the config, key=value; may be repeated',
    });
}

/** @throws UsageError with all that is wrong, each with the place where it is written */
export async function loadConfig({ config, set }: ConfigArguments): Promise<ResolvedConfig> {
  const [{ CONFIG_FILE_ENV, resolveConfig }, { ConfigError }] = await Promise.all([
    import('../server/config-sources.ts'),
    import('../server/config-check.ts'),
  ]);
  const name = config ?? process.env[CONFIG_FILE_ENV];
  try {
    return resolveConfig({ file: name ? { name, text: read(name) } : undefined, env: process.env, set });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const mistakes = error.message.split('\n');
    const list = `${mistakes.length} mistakes in the configuration:\n  ${mistakes.join('\n  ')}`;
    throw new UsageError(mistakes.length > 1 ? list : error.message, 'docs/operations.md lists every key.');
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the config file ${file}: ${asError(error).message}`);
  }
}
