/** `make docs`: writes the generated parts of every page in `docs/` anew. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fill } from './fill.ts';

const [docs = 'docs'] = process.argv.slice(2);
for (const name of readdirSync(docs).filter((each) => each.endsWith('.md'))) {
  const file = join(docs, name);
  const page = readFileSync(file, 'utf8');
  const filled = await fill(page);
  if (filled === page) continue;
  writeFileSync(file, filled);
  console.log(`${file} is written anew`);
}
