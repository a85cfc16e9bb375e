/** Apache Kafka's jars from Maven Central, fetched once into the cache folder of node_modules. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

// Vitest and make both run at the root of the project, also where this file is bundled into another.
const pom = resolve('test/compat/pom.xml');
const cache = resolve('node_modules/.cache/odradek');

const has = (command: string): boolean => spawnSync('which', [command], { stdio: 'ignore' }).status === 0;

/** Whether `java` and `mvn` are there. */
export const hasJava = has('java') && has('mvn');

/** The version of Apache Kafka that the pom asks for. */
export const kafkaVersion = /<kafka\.version>([^<]+)</.exec(readFileSync(pom, 'utf8'))?.[1] ?? 'unknown';

/** A class path with Apache Kafka's clients, tools and brokers. @throws Error when they cannot be fetched */
export function kafkaClassPath(): string {
  const jars = join(cache, `kafka-${kafkaVersion}`);
  if (!existsSync(jars)) {
    // Fetched beside and renamed: an interrupted run leaves no half-filled folder behind.
    const fetched = `${jars}.${process.pid}`;
    mkdirSync(dirname(jars), { recursive: true });
    const args = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${fetched}`];
    const { status, stdout, stderr } = spawnSync('mvn', args, { encoding: 'utf8' });
    if (status !== 0) {
      rmSync(fetched, { recursive: true, force: true });
      throw new Error(`mvn could not fetch Apache Kafka: ${stdout}${stderr}`);
    }
    if (existsSync(jars)) rmSync(fetched, { recursive: true, force: true });
    else renameSync(fetched, jars);
  }
  return join(jars, '*');
}
