import { existsSync } from 'node:fs';
import { type Browser, chromium as driver, type Page } from 'playwright-core';

/** Debian's; undefined where there is none, and tests that need it are skipped by name. */
export const chromium = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync);

/** `rules` as in Chromium's --host-resolver-rules. */
export function launch({ rules = [] as readonly string[] } = {}): Promise<Browser> {
  if (chromium === undefined) throw new Error('there is no chromium');
  const args = ['--disable-dev-shm-usage', '--disable-gpu'];
  // Chromium's sandbox does not work for root, and these pages are our own.
  if (process.getuid?.() === 0) args.push('--no-sandbox');
  if (rules.length > 0) args.push(`--host-resolver-rules=${rules.join(',')}`);
  return driver.launch({ executablePath: chromium, args });
}

/** What went wrong in a page: its errors, and what it (or the browser on its behalf) wrote as one. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${message.text()} (${message.location().url})`);
  });
  return complaints;
}
