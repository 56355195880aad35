import assert from "node:assert/strict";
import { isRefusal, refused, unreachable } from "../../shared/broker/connection_errors.ts";

Deno.test("isRefusal() tells a broker that says no from one that does not answer", () => {
  const handshake = 'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "no"';
  assert.ok(isRefusal(new Error(handshake)));
  assert.ok(isRefusal(new Error('530 (NOT-ALLOWED) with message "vhost x not found"')));
  assert.ok(
    isRefusal(new AggregateError([new Error("connect ECONNREFUSED"), new Error(handshake)])),
  );
  assert.ok(!isRefusal(new Error("connect ECONNREFUSED 127.0.0.1:5672")));
  assert.ok(!isRefusal(undefined));
});

Deno.test("refused() names the broker, the reason and what to check", () => {
  const cause = new Error("ACCESS_REFUSED");
  const error = refused("amqp://u:***@host", cause);
  assert.equal(error.code, "ACCESS_REFUSED");
  assert.equal(error.cause, cause);
  assert.equal(
    error.message,
    "The broker at amqp://u:***@host refused the connection (ACCESS_REFUSED). " +
      "Check the user, the password and the virtual host in AMQP_URL; where it is not set, run: " +
      "deno task setup-queues --users",
  );
});

Deno.test("unreachable() names the broker, the time, the reason and what to run", () => {
  assert.equal(
    unreachable("amqp://host", 10_000, new Error("connect ECONNREFUSED")).message,
    "No broker answered at amqp://host within 10 s (connect ECONNREFUSED). " +
      "Start one with: deno task broker start (or set AMQP_URL)",
  );
  assert.match(
    unreachable("amqp://host", 1_700).message,
    /at amqp:\/\/host within 2 s \(no answer/,
  );
  assert.match(unreachable("amqp://host", 12).message, /at amqp:\/\/host \(no answer\)/, "at once");
});

Deno.test("refused() tells a right that is missing from a user that is refused", () => {
  const cause = Object.assign(new Error("access to queue 'q' refused"), { code: 403 });
  assert.equal(
    refused("amqp://u:***@host", cause).message,
    "The broker at amqp://u:***@host does not let this user do what its role needs " +
      "(access to queue 'q' refused). Give each role its rights with: deno task setup-queues --users",
  );
});
