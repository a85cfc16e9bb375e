import yargs, { type Argv } from 'yargs';
import { localClusterCommandLine } from '../../src/cli/cluster/command-line.ts';
import { odradekCommandLine } from '../../src/cli/command-line.ts';

type CommandLine = (args: Argv) => Argv;

/** Options that every command takes are told once. */
const SHARED = /^ +(-h, )?--(bootstrap|json|help|version) .*$(\n {12,}\S.*$)*\n?/gm;

/** The help of every command of `odradek` and of `bin/cluster`. */
export async function commandHelp(): Promise<string> {
  const odradek = await helpOf(odradekCommandLine, 'odradek');
  const cluster = await help(localClusterCommandLine, []);
  return [...odradek, cluster].map((text) => `\`\`\`text\n${text.trim()}\n\`\`\``).join('\n\n');
}

/** The overview, then one text for each command, with all that is below it. */
async function helpOf(commandLine: CommandLine, name: string): Promise<string[]> {
  const overview = await help(commandLine, []);
  const texts = await Promise.all(
    commandsIn(overview, name).map((command) => treeOf(commandLine, name, [command])),
  );
  return [overview, ...texts];
}

async function treeOf(commandLine: CommandLine, name: string, path: readonly string[]): Promise<string> {
  const whole = await help(commandLine, path);
  const below = commandsIn(whole, [name, ...path].join(' '));
  const own = whole.replace(SHARED, '').replace(/\nOptions:\s*$/, '');
  if (below.length === 0) return own.trim();
  const texts = await Promise.all(below.map((command) => treeOf(commandLine, name, [...path, command])));
  return texts.join('\n\n');
}

/** The names of the commands that a help lists. Its examples look the same. */
function commandsIn(text: string, prefix: string): string[] {
  const [list = ''] = /^Commands:\n(?:.+\n)*/m.exec(text) ?? [];
  return list.split('\n').flatMap((line) => {
    const rest = line.startsWith(`  ${prefix} `) ? line.slice(prefix.length + 3) : '';
    return /^[a-z][a-z-]*/.exec(rest)?.[0] ?? [];
  });
}

function help(commandLine: CommandLine, path: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const parsed = commandLine(yargs()).parse([...path, '--help'], {}, (error, _, output) => {
      if (error) reject(error);
      else resolve(output);
    });
    Promise.resolve(parsed).catch(reject);
  });
}
