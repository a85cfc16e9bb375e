import type { Clock, Counter, Histogram, Meter, Metric, Sample } from './ports.ts';

/** From a tenth of a millisecond (a request answered from memory) to ten seconds (a request that timed out). */
const SECONDS_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
];

/** A series as prom-client's registry prints it. */
interface Value {
  /** Of the whole series. prom-client keeps the text of such an object for as long as it is the same one. */
  readonly sharedLabels: Labels;
  /** Those that only this line has. */
  readonly labels: Labels;
  readonly value: number;
  readonly metricName?: string;
}

/** One that was reported at a scrape, kept for the next one. */
interface Sampled extends Value {
  readonly labelValues: readonly string[];
  value: number;
}

interface Scraped {
  readonly contentType: string;
  readonly body: string;
}

type Labels = Readonly<Record<string, string | number>>;
const NO_LABELS: Labels = {};

type Collector = (sample: Sample) => void | Promise<void>;

/**
 * The Meter port for Prometheus. Numbers are kept here, in plain fields that cost a few additions to update; prom-client
 * only prints them, and is loaded by the first scrape, so that neither a start nor a request pays for it.
 *
 * One object per node: several nodes may share a process.
 */
export class PrometheusMeter implements Meter {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #families = new Map<string, Family>();
  readonly #collectors: Collector[] = [];
  #underWay: Promise<Scraped> | undefined;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  counter(metric: Metric, ...labels: readonly string[]): Counter {
    return this.#family(metric).child(labels, () => new CounterChild());
  }

  histogram(metric: Metric, ...labels: readonly string[]): Histogram {
    return this.#family(metric).child(labels, () => new HistogramChild(metric.buckets ?? SECONDS_BUCKETS));
  }

  onScrape(collect: Collector): void {
    this.#collectors.push(collect);
  }

  now(): number {
    return this.#clock.monotonicMs() / 1000;
  }

  /** Who asks while a scrape is under way gets that one. */
  scrape(): Promise<Scraped> {
    this.#underWay ??= this.#scrape().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #scrape(): Promise<Scraped> {
    const { Registry } = await import('prom-client');
    for (const family of this.#families.values()) family.beginScrape();
    const sample: Sample = (metric, value, ...labels) => {
      this.#family(metric).sample(labels, value);
    };
    await Promise.all(this.#collectors.map((collect) => collect(sample)));
    const registry = new Registry();
    type Printable = Parameters<typeof registry.registerMetric>[0];
    for (const family of this.#families.values()) registry.registerMetric(family as unknown as Printable);
    return { contentType: registry.contentType, body: await registry.metrics() };
  }

  #family(metric: Metric): Family {
    const known = this.#families.get(metric.name);
    if (known) return known;
    const created = new Family(metric);
    this.#families.set(metric.name, created);
    return created;
  }
}

/** All series of one metric. `name` and `get` are what prom-client's registry asks of a metric. */
class Family {
  readonly name: string;
  readonly #metric: Metric;
  readonly #children = new Map<string, { readonly labels: Labels; readonly child: Child }>();
  /** Those of the scrape under way come first, as many as `#count` says; the others are of the one before. */
  readonly #sampled: Sampled[] = [];
  #count = 0;

  constructor(metric: Metric) {
    this.name = metric.name;
    this.#metric = metric;
  }

  child<C extends Child>(labels: readonly string[], create: () => C): C {
    const key = labels.join('\0');
    const known = this.#children.get(key);
    // One metric has one type, so what is known under this name was made by the same `create`.
    if (known) return known.child as C;
    const child = create();
    this.#children.set(key, { labels: this.#labelled(labels), child });
    return child;
  }

  beginScrape(): void {
    this.#count = 0;
  }

  /**
   * Series come in the same order at each scrape, but for what came and went. So the one that stood here last is most
   * often this one, and is used again, with the text of its labels: with thousands of them, that is what costs.
   */
  sample(labelValues: readonly string[], value: number): void {
    const at = this.#count++;
    const last = this.#sampled[at];
    if (last && isSame(last.labelValues, labelValues)) last.value = value;
    else
      this.#sampled[at] = {
        sharedLabels: this.#labelled(labelValues),
        labels: NO_LABELS,
        value,
        labelValues,
      };
  }

  #labelled(values: readonly string[]): Labels {
    return Object.fromEntries((this.#metric.labels ?? []).map((name, i) => [name, values[i] ?? '']));
  }

  async get() {
    const { name, help, type } = this.#metric;
    const kept = [...this.#children.values()].flatMap(({ labels, child }) => child.values(name, labels));
    this.#sampled.length = this.#count;
    return { name, help, type, values: kept.concat(this.#sampled) };
  }
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((value, i) => value === other[i]);
}

interface Child {
  values(name: string, sharedLabels: Labels): Value[];
}

class CounterChild implements Counter, Child {
  #total = 0;

  add(amount = 1): void {
    this.#total += amount;
  }

  values(_name: string, sharedLabels: Labels): Value[] {
    return [{ sharedLabels, labels: NO_LABELS, value: this.#total }];
  }
}

class HistogramChild implements Histogram, Child {
  readonly #bounds: readonly number[];
  /** Observations per bucket, each in the first that holds it; the last bucket has no bound. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let i = 0;
    while (i < bounds.length && value > (bounds[i] ?? 0)) i++;
    this.#counts[i] = (this.#counts[i] ?? 0) + 1;
    this.#sum += value;
  }

  values(name: string, sharedLabels: Labels): Value[] {
    let count = 0;
    const values: Value[] = [];
    this.#counts.forEach((inBucket, i) => {
      count += inBucket;
      const le = this.#bounds[i] ?? '+Inf';
      values.push({ metricName: `${name}_bucket`, sharedLabels, labels: { le }, value: count });
    });
    values.push({ metricName: `${name}_sum`, sharedLabels, labels: NO_LABELS, value: this.#sum });
    values.push({ metricName: `${name}_count`, sharedLabels, labels: NO_LABELS, value: count });
    return values;
  }
}
