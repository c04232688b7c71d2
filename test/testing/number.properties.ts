import fc from "fast-check";

const number = fc.nat({ max: 1_000_000 });

/** Fails for few numbers, so late in a check. */
export const rare = fc.property(number, (n) => n % 997 !== 3);

/** The same, not at once. */
export const rareLater = fc.asyncProperty(number, async (n) => n % 997 !== 3);

export const holds = fc.property(number, (n) => n >= 0);

/** Skips every other run. */
export const choosy = fc.property(number, (n) => fc.pre(n % 2 === 0));

export const noProperty = 1;
