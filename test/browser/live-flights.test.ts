import { afterEach, expect, test } from 'vitest';
import { startBin } from '../cli/support/bin.ts';
import { chromium, complaintsOf, launch } from './support/chromium.ts';

const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 30_000, interval: 50 });
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

test.skipIf(!chromium)(
  'flights depart on the page of docs/live-flights, also after a node is killed (needs chromium)',
  async () => {
    const { child, ended } = startBin('live', ['--port', '0'], null);
    closing.push(async () => child.kill('SIGKILL'));
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    await eventually(() => output).toMatch(/open http.*\n.*node 3/);
    const [url = ''] = /http:\/\/\S+/.exec(output) ?? [];

    const browser = await launch();
    closing.push(() => browser.close());
    const page = await browser.newPage();
    const complaints = complaintsOf(page);
    await page.goto(url);
    const number = async (selector: string) =>
      Number((await page.textContent(selector))?.replaceAll(',', ''));
    await eventually(() => number('#departed')).toBeGreaterThan(300);
    expect(await number('#airborne')).toBeGreaterThan(50);
    expect(await page.textContent('#clock')).toContain('Monday, 1 January 2001');
    await eventually(() => page.locator('#airports li').count()).toBe(10);
    expect(await page.textContent('#partitions')).toContain('node 2');
    expect(complaints).toEqual([]);

    process.kill(Number(/(\d+) \(node 2\)/.exec(output)?.[1]), 'SIGKILL');
    await eventually(() => page.textContent('#partitions')).not.toMatch(/node 2|nobody/);
    const before = await number('#departed');
    await eventually(() => number('#departed')).toBeGreaterThan(before + 300);
    // The browser reports the connection that is refused now; the page has nothing to say.
    expect(complaints.filter((each) => !each.includes('WebSocket'))).toEqual([]);

    child.kill('SIGINT');
    expect(await ended).toMatchObject({ status: 0, stderr: '' });
    expect(output).not.toContain('not acknowledged');
  },
  90_000,
);
