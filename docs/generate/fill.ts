/**
 * Keeps parts of the documentation in step with the code. A page says `<!-- generated: NAME -->`; what follows, up to
 * `<!-- /generated -->`, is made by the section of that name in `sections.ts`. `make docs` writes it anew, and a test
 * fails where a page has drifted.
 */
import { sections } from './sections.ts';

const GENERATED = /(<!-- generated: ([a-z-]+) -->\n).*?(<!-- \/generated -->)/gs;

/** A page with every generated part as it should be. @throws Error for a name that no section has */
export async function fill(page: string): Promise<string> {
  const parts = Array.from(page.matchAll(GENERATED), async ([whole, open, name = '', close]) => {
    const section = sections[name];
    if (!section)
      throw new Error(`no section is called "${name}"; there are ${Object.keys(sections).join(', ')}`);
    return { whole, filled: `${open}\n${(await section()).trim()}\n\n${close}` };
  });
  let filled = page;
  for (const part of await Promise.all(parts)) filled = filled.replace(part.whole, () => part.filled);
  return filled;
}
