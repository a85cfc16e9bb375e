import type { Argv } from 'yargs';
import { SCRIPTS, SHELLS } from '../completion/scripts.ts';

/** `odradek completion SHELL`. */
export function completionCommand<T>(cli: Argv<T>): Argv<T> {
  return cli.command(
    'completion <shell>',
    'Print a script with which a shell completes commands, topics and groups',
    (command) =>
      command
        .positional('shell', { choices: SHELLS, demandOption: true, describe: 'The shell' })
        .example('source <($0 completion bash)', 'In ~/.bashrc; for zsh in ~/.zshrc')
        .example('$0 completion fish | source', 'In ~/.config/fish/config.fish'),
    ({ shell }) => {
      process.stdout.write(SCRIPTS[shell]);
    },
  );
}
