/** What is compared of an unknown word: anything longer is no slip of the pen. */
const CHARS_MAX = 64;

/** The known word that is most like `word`, for "did you mean". Case, dots, dashes and underscores don't count. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const typed = plain(word);
  let best: { readonly known: string; readonly distance: number } | undefined;
  for (const each of known) {
    const distance = editDistance(typed, plain(each));
    if (!best || distance < best.distance) best = { known: each, distance };
  }
  return best?.known;
}

function plain(word: string): string {
  return word
    .slice(0, CHARS_MAX)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
}

/** Levenshtein's: the insertions, deletions and replacements of a character that make `b` out of `a`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
