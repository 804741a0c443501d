/**
 * The seed of the tests in this process: the same in every run, so that a failure has a cause in what was changed. A run that
 * is made longer by SOAK, KILLS, ROUNDS or SCHEDULES draws a new one. SEED=n sets it.
 */
export const seed = Number(process.env.SEED
  ?? (["SOAK", "KILLS", "ROUNDS", "SCHEDULES"].some((name) => process.env[name]) ? Math.floor(Math.random() * 2 ** 31) : 1));

/** Returns a generator of pseudorandom numbers that depend only on the seed (mulberry32). */
export function generator(seed) {
  const next = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n) => Math.floor(next() * n);
  return { below, choose: (list) => list[below(list.length)] };
}
