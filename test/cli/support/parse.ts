import yargs, { type Argv } from 'yargs';
import { localClusterCommandLine } from '../../../src/cli/cluster/command-line.ts';
import { odradekCommandLine } from '../../../src/cli/command-line.ts';

class Parsed extends Error {
  readonly argv: Record<string, unknown>;
  constructor(argv: Record<string, unknown>) {
    super('parsed');
    this.argv = argv;
  }
}

const commandLines: Record<string, (args: Argv) => Argv> = {
  odradek: odradekCommandLine,
  cluster: localClusterCommandLine,
};

/** What a command line means, without running it. @throws UsageError */
export async function parse(bin: string, args: readonly string[]): Promise<Record<string, unknown>> {
  const commandLine = commandLines[bin];
  if (!commandLine) throw new Error(`no such command: bin/${bin}`);
  try {
    await commandLine(yargs([...args]))
      // After validation, before the command runs.
      .middleware((argv) => {
        throw new Parsed(argv);
      })
      .parseAsync();
  } catch (error) {
    if (error instanceof Parsed) return error.argv;
    throw error;
  }
  throw new Error(`nothing would run: ${bin} ${args.join(' ')}`);
}
