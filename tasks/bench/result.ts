/** What a run of the bench finds. */
import type { BacklogResult } from "./measurements/backlog.ts";
import type { ConsumeResult, EffectsResult } from "./measurements/consume.ts";
import type { CostResult } from "./measurements/cost.ts";
import type { EndToEndResult } from "./measurements/end_to_end.ts";
import type { GrowthResult } from "./measurements/growth.ts";
import type { LatencyResult } from "./measurements/latency.ts";
import type { OutboxResult } from "./measurements/outbox.ts";
import type { PublishResult } from "./measurements/publish.ts";

/** Every measurement that was made; `undefined` where `--only` left it out. */
export interface Measured {
  readonly publish: PublishResult | undefined;
  readonly consume: ConsumeResult | undefined;
  readonly effects: EffectsResult | undefined;
  readonly endToEnd: EndToEndResult | undefined;
  readonly latency: LatencyResult | undefined;
  readonly outbox: OutboxResult | undefined;
  readonly cost: CostResult | undefined;
  readonly growth: GrowthResult | undefined;
  readonly smallBacklog: BacklogResult | undefined;
  readonly largeBacklog: BacklogResult | undefined;
}
