import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

export interface ConsumerArguments {
  readonly bootstrap: string;
  readonly group: string;
  readonly topic: string;
  readonly name: string;
}

export interface ConsumerProgress {
  readonly consumed: number;
  readonly partitions: readonly number[];
}

/** One consumer of the demo's group, in a process of its own. */
export class ConsumerProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #isToEnd = false;
  #progress: ConsumerProgress = { consumed: 0, partitions: [] };

  constructor(options: ConsumerArguments, onFailure: (error: Error) => void) {
    this.name = options.name;
    this.#child = fork(new URL('../demo-consumer.js', import.meta.url), [JSON.stringify(options)]);
    this.#ended = once(this.#child, 'exit');
    this.#child.on('message', (progress) => {
      this.#progress = progress as ConsumerProgress;
    });
    this.#child.on('error', onFailure);
    this.#child.on('exit', (code, signal) => {
      if (!this.#isToEnd)
        onFailure(new Error(`${this.name} ended by itself (${signal ?? `exit status ${code}`})`));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get progress(): ConsumerProgress {
    return this.#progress;
  }

  get isToEnd(): boolean {
    return this.#isToEnd;
  }

  /** SIGKILL. */
  kill(): void {
    this.#isToEnd = true;
    this.#child.kill('SIGKILL');
  }

  /** Lets it commit and leave its group; resolves when it has ended. */
  async stop(): Promise<void> {
    if (this.#isToEnd) return;
    this.#isToEnd = true;
    this.#child.send({ stop: true });
    await this.#ended;
  }
}
