/** The broker that the tests of one file share. */
import { startTestBroker, type TestBroker } from "@ecomarket/testbed/broker/test_broker";

/**
 * A broker that starts before the first test of the calling file and ends after its last one.
 *
 * n.b. it is empty until then: only tests may read from it.
 */
export function brokerOfFile(): TestBroker {
  const broker = {} as TestBroker;
  Deno.test.beforeAll(async () => void Object.assign(broker, await startTestBroker()));
  Deno.test.afterAll(() => broker[Symbol.asyncDispose]());
  return broker;
}
