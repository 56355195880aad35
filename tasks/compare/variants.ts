/** The four that are compared: how each tells its subscribers, and how it is started. */

/** Their names, in the order of the workshop's way from one to the next. */
export const VARIANTS = ["coupled", "queueEach", "direct", "events"] as const;
/** One of {@link VARIANTS}. */
export type Variant = typeof VARIANTS[number];
/** Something that each of the four has. */
export type ByVariant<T> = Readonly<Record<Variant, T>>;

/** What is known of one of the four. */
export interface VariantSpec {
  /** In a table. */
  readonly title: string;
  /** In a sentence. */
  readonly description: string;
  /** Its `POST /users`, from the project's root. */
  readonly script: string;
  readonly permissionSet: string;
  /** Whether its subscribers are called, or have a queue. */
  readonly told: "http" | "queue";
  /** What a new subscriber adds to the list in {@link script}; `undefined` where there is no list. */
  readonly listEntry: ((subscriber: string) => string) | undefined;
}

/** All that is known of them. */
export const SPECS: ByVariant<VariantSpec> = {
  coupled: {
    title: "coupled",
    description: "three HTTP calls, one after the other",
    script: "tasks/compare/baselines/coupled_api.ts",
    permissionSet: "compare-api",
    told: "http",
    listEntry: (subscriber) => `"${subscriber}",`,
  },
  queueEach: {
    title: "queue each",
    description: "one publish per subscriber's queue",
    script: "tasks/compare/baselines/queue_each_api.ts",
    permissionSet: "compare-api",
    told: "queue",
    listEntry: (subscriber) => `"${subscriber}_queue",`,
  },
  direct: {
    title: "direct",
    description: "a direct exchange, one publish per routing key",
    script: "tasks/compare/baselines/direct_api.ts",
    permissionSet: "compare-api",
    told: "queue",
    listEntry: (subscriber) => `"${subscriber}",`,
  },
  events: {
    title: "events",
    description: "the users API: an outbox, and one publish to the fanout exchange",
    script: "publisher/api/users_api.ts",
    permissionSet: "users-api",
    told: "queue",
    listEntry: undefined,
  },
};

/** What `make` gives for each of the four. */
export function byVariant<T>(make: (variant: Variant) => T): ByVariant<T> {
  return Object.fromEntries(VARIANTS.map((variant) => [variant, make(variant)])) as ByVariant<T>;
}

/** What `make` resolves with for each of the four, one after the other. */
export async function forEachVariant<T>(
  make: (variant: Variant) => Promise<T>,
): Promise<ByVariant<T>> {
  const made: Partial<Record<Variant, T>> = {};
  for (const variant of VARIANTS) made[variant] = await make(variant);
  return made as ByVariant<T>;
}
