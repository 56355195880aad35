/** Does what the buttons stand for. */
import type { SameBroker } from "@ecomarket/setup/broker/same_broker";
import { EcoMarketError } from "@ecomarket/shared/base/errors";
import type { RobustPublisher } from "@ecomarket/publisher/levels/robust_publisher";
import type { ConsumerName } from "@ecomarket/testbed/processes/roles";
import type { Observation } from "../ledger/observation.ts";
import { type Action, commandOf } from "../view/actions.ts";
import type { Deeds } from "./deeds.ts";
import type { Fleet } from "./fleet.ts";
import { publishSignups } from "./publishing.ts";
import { replayLetter } from "./replaying.ts";

/** A button was pressed that cannot do its work now. */
export class ActionError extends EcoMarketError {
  override readonly code = "CANNOT_ACT";
}

/** What the buttons work with. */
export interface StageOptions {
  readonly fleet: Fleet;
  readonly publisher: RobustPublisher;
  readonly observation: Observation;
  readonly deeds: Deeds;
  /** The broker, where it is one that can be stopped here. */
  readonly broker: SameBroker | undefined;
  readonly onBroker: (isStopped: boolean) => void;
  readonly replayUrls: readonly string[];
  readonly dataDir: string;
}

/** Does one action after the other, or several at once: as they are pressed. */
export class Stage {
  readonly #options: StageOptions;

  constructor(options: StageOptions) {
    this.#options = options;
  }

  /** Does `action`. It never rejects: what came of it is among the deeds. */
  async act(action: Action): Promise<void> {
    const { deeds, fleet } = this.#options;
    const pid = "consumer" in action
      ? fleet.instanceOf(action.consumer as ConsumerName)?.pid
      : undefined;
    await deeds.run(commandOf(action, pid), () => this.#do(action));
  }

  async #do(action: Action): Promise<string> {
    const { fleet, publisher, observation, replayUrls, dataDir } = this.#options;
    switch (action.kind) {
      case "publish": {
        const { confirmed, failed } = await publishSignups(publisher, observation, action);
        if (failed > 0) throw new ActionError(`${confirmed} confirmed, ${failed} not confirmed`);
        return `${confirmed} confirmed`;
      }
      case "start":
        await fleet.start(action.consumer as ConsumerName);
        return "";
      case "stop":
      case "kill":
        return await this.#end(action.kind, action.consumer as ConsumerName);
      case "stop-broker":
        await this.#broker().stop();
        this.#options.onBroker(true);
        return "";
      case "start-broker":
        await this.#broker().start();
        this.#options.onBroker(false);
        return "";
      case "replay": {
        const { isWell, output } = await replayLetter(action, replayUrls, dataDir);
        if (!isWell) throw new ActionError(output);
        return output;
      }
    }
  }

  async #end(how: "stop" | "kill", name: ConsumerName): Promise<string> {
    const { fleet } = this.#options;
    if (!fleet.isRunning(name)) {
      throw new ActionError(
        `${name} does not run here: what others have started is theirs to stop`,
      );
    }
    await fleet[how](name);
    return `ended (${fleet.instanceOf(name)?.status})`;
  }

  #broker(): SameBroker {
    const { broker } = this.#options;
    if (broker) return broker;
    throw new ActionError(
      "This broker is not one that this project has started: it is not stopped here",
    );
  }
}
