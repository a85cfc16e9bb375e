import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Query {
  readonly panel: string;
  readonly expr: string;
}

/** Every query of the dashboard, with Grafana's variables as they are when all is chosen. */
export function dashboardQueries(): Query[] {
  const file = join(import.meta.dirname, '../../config/grafana-dashboard.json');
  const { panels } = JSON.parse(readFileSync(file, 'utf8')) as {
    panels: { title: string; targets?: { expr: string }[] }[];
  };
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      panel: title,
      expr: expr.replaceAll('$__rate_interval', '30s').replaceAll(/"\$\w+"/g, '".*"'),
    })),
  );
}

export const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0;

/** What Prometheus' own linter has to say of a scrape. */
export function lint(body: string): string {
  const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' });
  return stdout + stderr;
}

/** A Prometheus of its own that scrapes nodes twice a second. */
export class Prometheus {
  readonly #process: ChildProcess;
  readonly #dir: string;
  readonly #url: string;

  private constructor(process: ChildProcess, dir: string, url: string) {
    this.#process = process;
    this.#dir = dir;
    this.#url = url;
  }

  /** @param targets `host:port` of each node. */
  static async start(targets: readonly string[]): Promise<Prometheus> {
    const dir = mkdtempSync(join(tmpdir(), 'odradek-prometheus-'));
    const config = {
      global: { scrape_interval: '500ms', scrape_timeout: '500ms' },
      scrape_configs: [{ job_name: 'odradek', static_configs: [{ targets }] }],
    };
    writeFileSync(join(dir, 'prometheus.yml'), JSON.stringify(config));
    const child = spawn(
      'prometheus',
      [
        `--config.file=${dir}/prometheus.yml`,
        `--storage.tsdb.path=${dir}/data`,
        '--web.listen-address=127.0.0.1:0',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    for await (const line of createInterface({ input: child.stderr })) {
      const address = /Listening on".* address=(\S+)/.exec(line)?.[1];
      if (!address) continue;
      child.stderr.resume();
      return new Prometheus(child, dir, `http://${address}`);
    }
    throw new Error('prometheus ended before it listened');
  }

  /** The values of every series that the query gives now. @throws Error when it is no query */
  async query(expr: string): Promise<number[]> {
    const response = await fetch(`${this.#url}/api/v1/query?${new URLSearchParams({ query: expr })}`);
    const body = (await response.json()) as {
      status: string;
      error?: string;
      data: { result: { value: [number, string] }[] };
    };
    if (body.status !== 'success') throw new Error(`${expr}: ${body.error}`);
    return body.data.result.map(({ value }) => Number(value[1]));
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
