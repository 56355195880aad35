/**
 * What is written while the event loop turns once leaves in one system call. n.b. amqplib writes frame
 * by frame (`mux.js:39-46@2.3.1`): each ack and each message would cost a call of its own, which takes
 * longer than all else that is done for it.
 */
import type { Socket } from "node:net";

/** Has `socket` keep what is written until the code that runs now is done. The order stays. */
export function gatherWrites(socket: Socket): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  let isGathering = false;
  const pass = () => {
    isGathering = false;
    socket.uncork();
  };
  socket.write = (...args: unknown[]) => {
    if (!isGathering) {
      isGathering = true;
      socket.cork();
      queueMicrotask(pass);
    }
    return write(...args);
  };
}
