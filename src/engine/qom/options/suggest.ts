/** The candidate most like what was typed, if one is near enough to be meant. */
export function nearest(typed: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  // A third of the letters may be wrong, at least one and at most three.
  let limit = Math.min(3, Math.max(1, Math.floor(typed.length / 3)));
  const wanted = typed.toLowerCase();
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase(), limit);
    if (distance > limit || (distance === limit && best !== undefined)) continue;
    best = candidate;
    limit = distance;
  }
  return best;
}

/** Optimal string alignment distance; anything above `limit` may come back as `limit + 1`. */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? limit + 1;
}

/** "did you mean …" (a name like it, or one that it begins: `query-cpus`, `query-cpus-fast`), or all that is possible. */
export function possible(typed: string, candidates: readonly string[]): string {
  const near = nearest(typed, candidates) ?? candidates.find((name) => name.startsWith(`${typed}-`));
  if (near !== undefined) return `Did you mean '${near}'?`;
  return candidates.length <= 24
    ? `Possible: ${candidates.join(', ')}.`
    : `Possible: ${candidates.slice(0, 24).join(', ')}, ….`;
}
