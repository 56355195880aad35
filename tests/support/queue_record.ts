/** What the broker believes about where a queue is, and how to make it wrong. */
import type { PrivateNode } from "@ecomarket/setup/node/private_node";

/** A queue, and the node that it is to be looked for on. */
export interface QueueRecord {
  readonly vhost: string;
  readonly queue: string;
  /** Such as `gone@localhost`: no such node need exist. */
  readonly node: string;
}

/**
 * Makes the record of a quorum queue name `node` as the leader and as the only replica. The queue
 * itself stays where it is: channels that are open go on, and each that is opened now asks `node`.
 *
 * n.b. 3.10 asks the recorded leader alone; 4.x prefers the leader that Raft saw last and then asks
 * every replica, so that the leader alone would be believed by nobody
 * (`rabbit_quorum_queue:find_leader/1`, `rabbit_fifo_client:enqueue/4`, 4.3.6).
 */
export async function recordQueueOn(broker: PrivateNode, record: QueueRecord): Promise<void> {
  const { vhost, queue, node } = record;
  await broker.ctl(
    "eval",
    `Queue = rabbit_misc:r(<<"${vhost}">>, queue, <<"${queue}">>),
    {ok, Found} = rabbit_amqqueue:lookup(Queue),
    {Id, _} = amqqueue:get_pid(Found),
    Move = fun(Record) ->
      State = amqqueue:get_type_state(Record),
      Led = amqqueue:set_pid(Record, {Id, '${node}'}),
      amqqueue:set_type_state(Led, State#{nodes => ['${node}']})
    end,
    Update = fun() -> rabbit_amqqueue:update(Queue, Move) end,
    case erlang:function_exported(rabbit_db_queue, update, 2) of
      true -> Update();
      false -> rabbit_misc:execute_mnesia_transaction(Update)
    end,
    ra_leaderboard:clear(Id).`,
  );
}
