/**
 * A subscriber of the three that publish: the project's own subscriber, with a queue of its own. Its
 * queue is bound to the fanout exchange, and to the direct one with its name as the key, so that the
 * same process can be told in each of the three ways.
 */
import { type EventConsumer, eventConsumer, runConsumer } from "@ecomarket/shared/subscriber";
import {
  type Behaviour,
  behaviourFromEnvironment,
  signupEffect,
  SIGNUPS,
  work,
} from "./subscriber_behaviour.ts";
import { USERS_DIRECT } from "./users_direct.ts";

function subscriber(behaviour: Behaviour): EventConsumer {
  const { name } = behaviour;
  const queue = `${name}_queue`;
  const act = work(behaviour);
  const consumer = eventConsumer({
    name,
    queue,
    migrations: SIGNUPS,
    on: {
      async UsuarioCreado({ event_id, email }, { signal }) {
        await act(signal);
        return signupEffect(event_id, email);
      },
    },
  });
  return {
    ...consumer,
    spec(retryDelaysMs) {
      const spec = consumer.spec(retryDelaysMs);
      const { exchanges, queues, bindings } = spec.topology;
      return {
        ...spec,
        topology: {
          exchanges: [...exchanges, { name: USERS_DIRECT, type: "direct" }],
          queues,
          bindings: [...bindings, { exchange: USERS_DIRECT, queue, routingKey: name }],
        },
      };
    },
  };
}

await runConsumer(() => subscriber(behaviourFromEnvironment()));
